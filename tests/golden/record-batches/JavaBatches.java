// Small batches as Apache's producer writes them, for the golden files that make.sh collects.
//   kafka.sh java JavaBatches.java BOOTSTRAP
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

public class JavaBatches {
  static final int SNAPPY_CHUNK_BYTES = 32 * 1024;
  static final Random random = new Random(1);

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] text(int size) {
    StringBuilder words = new StringBuilder();
    while (words.length() < size) words.append("word-").append(random.nextInt(9)).append(' ');
    return bytes(words.substring(0, size));
  }

  // Null, empty and other keys and values; where it compresses, one of several snappy chunks and lz4 blocks.
  static ProducerRecord<byte[], byte[]> record(String topic, String codec, int i) {
    byte[] key = i % 5 == 0 ? null : bytes(i % 5 == 1 ? "" : "key-" + i % 11);
    byte[] value = i % 7 == 0 ? null : text(i % 7 == 1 ? 0 : random.nextInt(200));
    if (i == 30 && !codec.equals("none")) value = bytes("one of many ".repeat(3 * SNAPPY_CHUNK_BYTES / 12));
    long timestamp = 1_700_000_000_000L + (i % 3 == 0 ? -i : i) * 1000L;
    var record = new ProducerRecord<>(topic, 0, timestamp, key, value);
    if (i % 4 == 0) record.headers().add("h", bytes("1")).add("h", null).add("", new byte[0]).add("g", bytes("\u00e4"));
    return record;
  }

  static void produce(Admin admin, String bootstrap, String topic, String codec, Map<String, String> config)
      throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(config))).all().get();
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("compression.type", codec);
    settings.put("linger.ms", "1000");
    settings.put("batch.size", "400000");
    try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < 60; i++) {
        producer.send(record(topic, codec, i));
        if (i == 40) producer.flush();
      }
    }
  }

  public static void main(String[] args) throws Exception {
    try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", args[0]))) {
      for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
        produce(admin, args[0], "java-" + codec, codec, Map.of());
      }
      produce(admin, args[0], "java-log-append-time", "zstd", Map.of("message.timestamp.type", "LogAppendTime"));
    }
  }
}
