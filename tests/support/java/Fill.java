// What only Apache's producer can write: timestamp 0, its own framing of snappy (xerial), its compressors,
// header keys with a NUL, an idempotent and a transactional producer of its own.
//   kafka.sh java .../Fill.java BOOTSTRAP [--prefix P]
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Fill {
  static final long BASE_TIMESTAMP_MS = 1_700_000_000_000L;
  static String bootstrap;
  static String prefix = "";
  static Random random = new Random(1);

  static String createTopic(Admin admin, String name, int partitions, Map<String, String> config) throws Exception {
    String topic = prefix + name;
    admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(config))).all().get();
    return topic;
  }

  static KafkaProducer<byte[], byte[]> producer(Map<String, String> settings) {
    Properties all = new Properties();
    all.put("bootstrap.servers", bootstrap);
    all.put("linger.ms", "50");
    all.putAll(settings);
    return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static ProducerRecord<byte[], byte[]> record(String topic, int partition, long timestampMs, int i) {
    byte[] key = i % 7 == 0 ? null : utf8("key-" + i % 50);
    byte[] value = i % 11 == 0 ? null : utf8("{\"n\":" + i + ",\"text\":\"" + "abc ".repeat(random.nextInt(100)) + "\"}");
    var record = new ProducerRecord<>(topic, partition, timestampMs, key, value);
    if (i % 5 == 0) record.headers().add("java", utf8(Integer.toString(i))).add("java", null);
    return record;
  }

  static void codecs(Admin admin) throws Exception {
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      String topic = createTopic(admin, "java-" + codec, 2, Map.of("retention.ms", "-1"));
      try (var producer = producer(Map.of("compression.type", codec, "batch.size", "200000"))) {
        for (int i = 0; i < 2000; i++) producer.send(record(topic, i % 2, BASE_TIMESTAMP_MS + i, i));
        byte[] large = new byte[300_000];  // several blocks of the compressors' framing
        random.nextBytes(large);
        producer.send(new ProducerRecord<>(topic, 0, BASE_TIMESTAMP_MS, utf8("large"), large));
      }
    }
  }

  static void timestampZero(Admin admin) throws Exception {
    String topic = createTopic(admin, "java-timestamp-0", 1, Map.of("retention.ms", "-1"));
    try (var producer = producer(Map.of())) {
      for (long timestampMs : List.of(0L, 1L, 0L, BASE_TIMESTAMP_MS, 0L)) {
        producer.send(new ProducerRecord<>(topic, 0, timestampMs, utf8("k"), utf8("v")));
      }
    }
    try (var producer = producer(Map.of("linger.ms", "0", "batch.size", "0"))) {
      for (int i = 0; i < 5; i++) producer.send(new ProducerRecord<>(topic, 0, 0L, null, utf8("alone-" + i))).get();
    }
  }

  static void headers(Admin admin) throws Exception {
    String topic = createTopic(admin, "java-headers", 1, Map.of());
    try (var producer = producer(Map.of())) {
      var record = new ProducerRecord<>(topic, 0, BASE_TIMESTAMP_MS, utf8("k"), utf8("v"));
      record.headers().add("nul\0inside", utf8("1")).add("nul\0other", utf8("2")).add("", new byte[0]).add("", null);
      producer.send(record);
    }
  }

  // Ends committed; an aborted transaction in which nothing was written is there too.
  static void transactions(Admin admin) throws Exception {
    String topic = createTopic(admin, "java-transactions", 2, Map.of());
    try (var producer = producer(Map.of("transactional.id", prefix + "java-tx", "compression.type", "snappy"));
        var plain = producer(Map.of("compression.type", "lz4"))) {
      producer.initTransactions();
      for (int round = 0; round < 9; round++) {
        producer.beginTransaction();
        for (int i = 0; i < (round == 4 ? 0 : 40); i++) producer.send(record(topic, i % 2, BASE_TIMESTAMP_MS + i, i));
        producer.flush();
        plain.send(record(topic, round % 2, BASE_TIMESTAMP_MS + round, round)).get();
        if (round % 3 == 1) producer.abortTransaction();
        else producer.commitTransaction();
      }
    }
  }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    if (args.length == 3 && args[1].equals("--prefix")) prefix = args[2];
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
      codecs(admin);
      timestampZero(admin);
      headers(admin);
      transactions(admin);
    }
    System.out.println("filled java");
  }
}
