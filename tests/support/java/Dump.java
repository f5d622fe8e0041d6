// The same dump as kafka_dump writes (see dump_line.h), by Apache's own consumer: a second opinion on
// transactions, timestamps and header bytes. Holds the lines in memory; for large topics use kafka_dump.
//   kafka.sh java .../Dump.java BOOTSTRAP TOPIC...|--prefix P --output FILE [--isolation L] [--offsets]
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Dump {
  static final int LITERAL_MAX = 16;
  static final long SILENCE_MAX_MS = 60_000;
  static final HexFormat HEX = HexFormat.of();
  static MessageDigest sha256;
  static Field keyBuffer;  // RecordHeader.key() would replace what is not UTF-8

  record Options(String bootstrap, List<String> topics, String prefix, String output, String isolation, boolean offsets) {}

  static class Partition {
    final StringBuilder lines = new StringBuilder();
    long end;
    long records;
  }

  static Options parse(String[] args) {
    List<String> topics = new ArrayList<>();
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i < args.length; i++) {
      if (args[i].equals("--offsets")) options.put(args[i], "");
      else if (args[i].startsWith("--")) options.put(args[i], args[++i]);
      else topics.add(args[i]);
    }
    return new Options(args[0], topics, options.get("--prefix"), options.get("--output"),
        options.getOrDefault("--isolation", "read_uncommitted"), options.containsKey("--offsets"));
  }

  static void appendBytes(StringBuilder out, byte[] bytes) {
    if (bytes == null) {
      out.append('-');
      return;
    }
    byte[] shown = bytes.length <= LITERAL_MAX ? bytes : Arrays.copyOf(sha256.digest(bytes), LITERAL_MAX);
    out.append(bytes.length).append(':').append(HEX.formatHex(shown));
  }

  static byte[] headerKey(Header header) throws Exception {
    ByteBuffer raw = (ByteBuffer) keyBuffer.get((RecordHeader) header);
    if (raw == null) return header.key().getBytes(StandardCharsets.UTF_8);
    byte[] bytes = new byte[raw.remaining()];
    raw.duplicate().get(bytes);
    return bytes;
  }

  static char timestampType(TimestampType type) {
    return type == TimestampType.CREATE_TIME ? 'C' : type == TimestampType.LOG_APPEND_TIME ? 'L' : '-';
  }

  static void append(StringBuilder out, ConsumerRecord<byte[], byte[]> r, boolean offsets) throws Exception {
    out.append("R\t").append(r.topic()).append('\t').append(r.partition()).append('\t');
    out.append(offsets ? Long.toString(r.offset()) : "-").append('\t');
    out.append(timestampType(r.timestampType())).append('\t').append(r.timestamp()).append('\t');
    appendBytes(out, r.key());
    out.append('\t');
    appendBytes(out, r.value());
    out.append('\t');
    String separator = "";
    for (Header header : r.headers()) {
      out.append(separator);
      appendBytes(out, headerKey(header));
      out.append('=');
      appendBytes(out, header.value());
      separator = ";";
    }
    out.append('\n');
  }

  static KafkaConsumer<byte[], byte[]> consumer(Options options) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", options.bootstrap);
    settings.put("isolation.level", options.isolation);
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "none");
    settings.put("max.poll.records", "5000");
    settings.put("fetch.max.wait.ms", "20");
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  static List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer, Options options) {
    List<TopicPartition> partitions = new ArrayList<>();
    consumer.listTopics().forEach((topic, infos) -> {
      boolean chosen = options.prefix == null ? options.topics.contains(topic)
          : topic.startsWith(options.prefix) && !topic.startsWith("__");
      if (chosen) infos.forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
    });
    return partitions;
  }

  // The consumer's position passes markers and aborted records; at the end offset of its isolation level it is done.
  static void read(KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Partition> dump, Options options)
      throws Exception {
    List<TopicPartition> open = new ArrayList<>(dump.keySet());
    consumer.seekToBeginning(open);
    long heard = System.currentTimeMillis();
    for (open.removeIf(each -> consumer.position(each) >= dump.get(each).end); !open.isEmpty();
        open.removeIf(each -> consumer.position(each) >= dump.get(each).end)) {
      var records = consumer.poll(Duration.ofMillis(100));
      for (ConsumerRecord<byte[], byte[]> r : records) {
        Partition partition = dump.get(new TopicPartition(r.topic(), r.partition()));
        if (r.offset() >= partition.end) continue;
        append(partition.lines, r, options.offsets);
        partition.records++;
      }
      if (!records.isEmpty()) heard = System.currentTimeMillis();
      if (System.currentTimeMillis() - heard > SILENCE_MAX_MS) throw new RuntimeException("nothing arrived: " + open);
    }
  }

  static void write(Map<TopicPartition, Partition> dump, String path) throws Exception {
    try (OutputStream out = new BufferedOutputStream(new FileOutputStream(path))) {
      for (var each : dump.entrySet()) {
        String topic = each.getKey().topic();
        for (String line : each.getValue().lines.toString().split("(?<=\n)")) {
          if (!line.isEmpty()) sha256.update(line.substring(2 + topic.length()).getBytes(StandardCharsets.UTF_8));
        }
        String digest = HEX.formatHex(Arrays.copyOf(sha256.digest(), LITERAL_MAX));
        String head = "P\t" + topic + "\t" + each.getKey().partition() + "\t" + each.getValue().records + "\t" + digest;
        out.write((head + "\n" + each.getValue().lines).getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Options options = parse(args);
    sha256 = MessageDigest.getInstance("SHA-256");
    keyBuffer = RecordHeader.class.getDeclaredField("keyBuffer");
    keyBuffer.setAccessible(true);
    Map<TopicPartition, Partition> dump =
        new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition));
    try (var consumer = consumer(options)) {
      List<TopicPartition> partitions = partitions(consumer, options);
      consumer.assign(partitions);
      consumer.endOffsets(partitions).forEach((partition, end) -> {
        dump.put(partition, new Partition());
        dump.get(partition).end = end;
      });
      read(consumer, dump, options);
    }
    write(dump, options.output);
    long records = dump.values().stream().mapToLong(each -> each.records).sum();
    System.out.println(dump.size() + " partitions, " + records + " records");
  }
}
