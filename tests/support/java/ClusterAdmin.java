// Moves a cluster about for the tests: obeys lines from stdin, answers with lines and at last with "ok" or "error ...".
//   kafka.sh java .../ClusterAdmin.java BOOTSTRAP
//     ping
//     create TOPIC PARTITIONS REPLICAS [KEY=VALUE]...   REPLICAS: a number, or ids as in 2:3 for every partition
//     delete TOPIC...                                   gone afterwards
//     add-partitions TOPIC COUNT
//     delete-records TOPIC PARTITION OFFSET             -1: all
//     move TOPIC...          every partition gets another leader of its replicas, by a changed preference
//     leaders TOPIC          "partition leader isr" of each
//     fence NAME             no transaction of that id is open any more; makes the topic of transactions
//     in-sync PREFIX...      waits until all replicas of all topics that begin so are in sync and have leaders
//     in-sync-count TOPIC PARTITION COUNT   waits for so many in sync
//     leader TOPIC PARTITION ID             waits until that one leads
//     end TOPIC PARTITION    its end offset
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

public class ClusterAdmin {
  static final long PATIENCE_MS = 240_000;
  static Admin admin;

  interface Condition {
    boolean holds() throws Exception;
  }

  static void await(String what, Condition condition) throws Exception {
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    Exception last = null;
    while (System.currentTimeMillis() < deadline) {
      try {
        if (condition.holds()) return;
      } catch (ExecutionException error) {
        last = error;
      }
      Thread.sleep(100);
    }
    throw new IllegalStateException("waited in vain for " + what + (last == null ? "" : ": " + last.getCause()));
  }

  // The client asks again when an answer is late, and then hears that it was done.
  static void unlessDone(Class<? extends ApiException> done, KafkaFuture<Void> result) throws Exception {
    try {
      result.get();
    } catch (ExecutionException error) {
      if (!done.isInstance(error.getCause())) throw error;
    }
  }

  static TopicDescription describe(String topic) throws Exception {
    return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
  }

  static TopicPartitionInfo describe(String topic, int partition) throws Exception {
    return describe(topic).partitions().stream().filter(p -> p.partition() == partition).findFirst().orElseThrow();
  }

  static boolean leads(TopicPartitionInfo partition, int id) {
    return partition.leader() != null && partition.leader().id() == id;
  }

  static void create(String[] words) throws Exception {
    String name = words[1];
    int partitions = Integer.parseInt(words[2]);
    NewTopic topic;
    if (words[3].contains(":")) {
      List<Integer> ids = Arrays.stream(words[3].split(":")).map(Integer::parseInt).collect(Collectors.toList());
      Map<Integer, List<Integer>> replicas = new HashMap<>();
      for (int i = 0; i < partitions; i++) replicas.put(i, ids);
      topic = new NewTopic(name, replicas);
    } else {
      topic = new NewTopic(name, partitions, Short.parseShort(words[3]));
    }
    Map<String, String> configs = new HashMap<>();
    for (int i = 4; i < words.length; i++) configs.put(words[i].split("=", 2)[0], words[i].split("=", 2)[1]);
    unlessDone(TopicExistsException.class, admin.createTopics(List.of(topic.configs(configs))).all());
    await("leaders of " + name, () -> describe(name).partitions().stream().allMatch(p -> p.leader() != null));
  }

  static void delete(List<String> topics) throws Exception {
    unlessDone(UnknownTopicOrPartitionException.class, admin.deleteTopics(topics).all());
    await("the end of " + topics, () -> admin.listTopics().names().get().stream().noneMatch(topics::contains));
  }

  static void move(String topic) throws Exception {
    Map<TopicPartition, Optional<NewPartitionReassignment>> orders = new HashMap<>();
    Map<Integer, Integer> wanted = new HashMap<>();
    for (TopicPartitionInfo partition : describe(topic).partitions()) {
      int leader = partition.leader() == null ? -1 : partition.leader().id();
      List<Integer> ids = partition.replicas().stream().map(Node::id).collect(Collectors.toCollection(ArrayList::new));
      Set<Integer> inSync = partition.isr().stream().map(Node::id).collect(Collectors.toSet());
      int next = ids.stream().filter(id -> id != leader && inSync.contains(id)).findFirst().orElse(-1);
      if (next < 0) continue;  // nobody else could lead it now
      ids.remove(Integer.valueOf(next));
      ids.add(0, next);
      orders.put(new TopicPartition(topic, partition.partition()), Optional.of(new NewPartitionReassignment(ids)));
      wanted.put(partition.partition(), next);
    }
    if (orders.isEmpty()) throw new IllegalStateException("no partition of " + topic + " can move");
    admin.alterPartitionReassignments(orders).all().get();
    await("the new order of " + topic, () -> admin.listPartitionReassignments(orders.keySet()).reassignments().get().isEmpty());
    await("new leaders of " + topic, () -> {
      admin.electLeaders(ElectionType.PREFERRED, orders.keySet()).partitions().get();
      return describe(topic).partitions().stream()
          .allMatch(p -> !wanted.containsKey(p.partition()) || leads(p, wanted.get(p.partition())));
    });
  }

  static boolean inSync(List<String> prefixes) throws Exception {
    Set<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    names.removeIf(name -> prefixes.stream().noneMatch(name::startsWith));
    return admin.describeTopics(names).allTopicNames().get().values().stream()
        .flatMap(topic -> topic.partitions().stream())
        .allMatch(p -> p.leader() != null && p.isr().size() == p.replicas().size());
  }

  static void obey(String[] words) throws Exception {
    List<String> rest = Arrays.asList(words).subList(1, words.length);
    switch (words[0]) {
      case "ping" -> admin.describeCluster().clusterId().get();
      case "create" -> create(words);
      case "delete" -> delete(rest);
      case "add-partitions" ->
          admin.createPartitions(Map.of(words[1], NewPartitions.increaseTo(Integer.parseInt(words[2])))).all().get();
      case "delete-records" -> admin.deleteRecords(Map.of(new TopicPartition(words[1], Integer.parseInt(words[2])),
                                                          RecordsToDelete.beforeOffset(Long.parseLong(words[3])))).all().get();
      case "move" -> {
        for (String topic : rest) move(topic);
      }
      case "fence" -> admin.fenceProducers(rest).all().get();
      case "leaders" -> {
        for (TopicPartitionInfo p : describe(words[1]).partitions())
          System.out.println(p.partition() + " " + (p.leader() == null ? -1 : p.leader().id()) + " "
                             + p.isr().stream().map(n -> "" + n.id()).collect(Collectors.joining(",")));
      }
      case "in-sync" -> await("replicas in sync", () -> inSync(rest));
      case "in-sync-count" -> await(words[3] + " replicas in sync", () ->
          describe(words[1], Integer.parseInt(words[2])).isr().size() == Integer.parseInt(words[3]));
      case "leader" -> await("the leader " + words[3], () ->
          leads(describe(words[1], Integer.parseInt(words[2])), Integer.parseInt(words[3])));
      case "end" -> {
        TopicPartition partition = new TopicPartition(words[1], Integer.parseInt(words[2]));
        System.out.println(admin.listOffsets(Map.of(partition, OffsetSpec.latest())).partitionResult(partition).get().offset());
      }
      default -> throw new IllegalArgumentException("unknown command");
    }
  }

  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("default.api.timeout.ms", "30000");  // what waits asks again
    settings.put("request.timeout.ms", "5000");  // then another broker is asked: one may be paused
    admin = Admin.create(settings);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null;) {
      try {
        obey(line.trim().split(" +"));
        System.out.println("ok");
      } catch (Throwable error) {
        System.out.println("error " + String.valueOf(error).replace('\n', ' '));
      }
      System.out.flush();
    }
    System.exit(0);
  }
}
