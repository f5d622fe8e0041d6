// Members of groups of several kinds, in one process: each reads its topic to the end, commits, says so, and stays in
// its group until the process is killed. A share group commits no offsets.
//   kafka.sh java .../Groups.java BOOTSTRAP TOPIC (GROUP classic|consumer|share)...
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Groups {
  static Properties settings(String bootstrap, String group) {
    Properties all = new Properties();
    all.put("bootstrap.servers", bootstrap);
    all.put("group.id", group);
    all.put("key.deserializer", ByteArrayDeserializer.class);
    all.put("value.deserializer", ByteArrayDeserializer.class);
    return all;
  }

  static void share(String bootstrap, String group, String topic) {
    try (var consumer = new KafkaShareConsumer<byte[], byte[]>(settings(bootstrap, group))) {
      consumer.subscribe(List.of(topic));
      consumer.poll(Duration.ofSeconds(1));
      System.out.println("member of " + group);
      for (;;) consumer.poll(Duration.ofMillis(500));
    }
  }

  static void consume(String bootstrap, String group, String protocol, String topic) {
    Properties all = settings(bootstrap, group);
    all.put("group.protocol", protocol);
    all.put("enable.auto.commit", "false");
    all.put("auto.offset.reset", "earliest");
    try (var consumer = new KafkaConsumer<byte[], byte[]>(all)) {
      consumer.subscribe(List.of(topic));
      boolean done = false;
      for (;;) {
        consumer.poll(Duration.ofMillis(200));
        if (done || consumer.assignment().isEmpty()) continue;
        done = consumer.endOffsets(consumer.assignment()).entrySet().stream()
            .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
        if (!done) continue;
        consumer.commitSync();
        System.out.println("committed " + group);
      }
    }
  }

  public static void main(String[] args) {
    for (int i = 2; i < args.length; i += 2) {
      String group = args[i], protocol = args[i + 1];
      new Thread(() -> {
        if (protocol.equals("share")) share(args[0], group, args[1]);
        else consume(args[0], group, protocol, args[1]);
      }).start();
    }
  }
}
