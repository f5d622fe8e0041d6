// Writes the bytes that franz-go, an independent implementation, makes of the messages that src/kafka declares:
// "NAME VARIANT VERSION HEX", one line per version that we speak. src/kafka/messages_test.cc holds the same values.
// Run by hand when a message or a version is added: go run . > ../../data/kafka-messages/messages.txt
package main

import (
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

type message interface {
	SetVersion(int16)
	AppendTo([]byte) []byte
}

func s(text string) *string { return &text }

var id = [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}

func show(name, variant string, first, last int16, m message) {
	for version := first; version <= last; version++ {
		m.SetVersion(version)
		fmt.Printf("%s %s %d %x\n", name, variant, version, m.AppendTo(nil))
	}
}

func main() {
	cluster()
	fetch()
	produce()
	topics()
	configs()
	groups()
	access()
	sasl()
	headers()
}

func cluster() {
	show("ApiVersionsRequest", "full", 0, 3, &kmsg.ApiVersionsRequest{ClientSoftwareName: "name", ClientSoftwareVersion: "1.0"})
	versions := kmsg.ApiVersionsResponse{ErrorCode: 35, ThrottleMillis: 7, FinalizedFeaturesEpoch: 8, ZkMigrationReady: true}
	versions.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 1, MinVersion: 4, MaxVersion: 18}, {ApiKey: 18, MaxVersion: 4}}
	versions.SupportedFeatures = []kmsg.ApiVersionsResponseSupportedFeature{{Name: "metadata.version", MinVersion: 1, MaxVersion: 25}}
	versions.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "group.version", MaxVersionLevel: 2, MinVersionLevel: 1}}
	show("ApiVersionsResponse", "full", 0, 3, &versions)
	bare := kmsg.NewApiVersionsResponse()
	show("ApiVersionsResponse", "bare", 0, 3, &bare)

	show("MetadataRequest", "full", 4, 12, &kmsg.MetadataRequest{
		Topics: []kmsg.MetadataRequestTopic{{TopicID: id, Topic: s("orders")}, {Topic: s("")}}, AllowAutoTopicCreation: false,
		IncludeClusterAuthorizedOperations: true, IncludeTopicAuthorizedOperations: true})
	show("MetadataRequest", "all", 4, 12, &kmsg.MetadataRequest{AllowAutoTopicCreation: true})
	show("MetadataRequest", "by_id", 10, 12, &kmsg.MetadataRequest{Topics: []kmsg.MetadataRequestTopic{{TopicID: id}}})
	partition := kmsg.MetadataResponseTopicPartition{ErrorCode: 5, Partition: 3, Leader: 1, LeaderEpoch: 9, Replicas: []int32{1, 2},
		ISR: []int32{2}, OfflineReplicas: []int32{4}}
	show("MetadataResponse", "full", 4, 12, &kmsg.MetadataResponse{ThrottleMillis: 11,
		Brokers:   []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "h1", Port: 9092, Rack: s("r")}, {NodeID: 2, Host: "h2", Port: 9093}},
		ClusterID: s("cluster"), ControllerID: 2, AuthorizedOperations: 264,
		Topics: []kmsg.MetadataResponseTopic{{ErrorCode: 3, Topic: s("orders"), TopicID: id, IsInternal: true,
			Partitions: []kmsg.MetadataResponseTopicPartition{partition}, AuthorizedOperations: 3576}}})
	show("MetadataResponse", "nulls", 12, 12, &kmsg.MetadataResponse{ControllerID: -1, Topics: []kmsg.MetadataResponseTopic{{}}})

	show("FindCoordinatorRequest", "full", 1, 3, &kmsg.FindCoordinatorRequest{CoordinatorKey: "group", CoordinatorType: 1})
	show("FindCoordinatorResponse", "full", 1, 3, &kmsg.FindCoordinatorResponse{ThrottleMillis: 1, ErrorCode: 15,
		ErrorMessage: s("why"), NodeID: 3, Host: "h", Port: 9092})
	show("FindCoordinatorResponse", "nulls", 1, 3, &kmsg.FindCoordinatorResponse{})
}

func fetch() {
	show("FetchRequest", "full", 4, 16, &kmsg.FetchRequest{ClusterID: s("c"), ReplicaID: -1, MaxWaitMillis: 500, MinBytes: 1,
		MaxBytes: 1 << 20, IsolationLevel: 1, SessionID: 77, SessionEpoch: 5, Rack: "rack",
		ReplicaState: kmsg.FetchRequestReplicaState{ID: -1, Epoch: -1}, // kmsg writes tags of later versions, too
		Topics: []kmsg.FetchRequestTopic{{Topic: "orders", TopicID: id, Partitions: []kmsg.FetchRequestTopicPartition{{Partition: 2,
			CurrentLeaderEpoch: 6, FetchOffset: 1 << 40, LastFetchedEpoch: 4, LogStartOffset: 10, PartitionMaxBytes: 65536,
			HighWatermark: math.MaxInt64}}}},
		ForgottenTopics: []kmsg.FetchRequestForgottenTopic{{Topic: "old", TopicID: id, Partitions: []int32{0, 9}}}})
	empty := kmsg.NewFetchRequest()
	show("FetchRequest", "bare", 4, 16, &empty)
	full := kmsg.FetchResponseTopicPartition{Partition: 2, ErrorCode: 1, HighWatermark: 50, LastStableOffset: 49,
		LogStartOffset: 3, PreferredReadReplica: 7, RecordBatches: []byte("RAW BATCHES"),
		AbortedTransactions: []kmsg.FetchResponseTopicPartitionAbortedTransaction{{ProducerID: 4000, FirstOffset: 12}}}
	full.DivergingEpoch = kmsg.FetchResponseTopicPartitionDivergingEpoch{Epoch: 2, EndOffset: 40}
	full.CurrentLeader = kmsg.FetchResponseTopicPartitionCurrentLeader{LeaderID: 3, LeaderEpoch: 9}
	full.SnapshotID = kmsg.FetchResponseTopicPartitionSnapshotID{EndOffset: 30, Epoch: 1}
	bare := kmsg.NewFetchResponseTopicPartition()
	bare.RecordBatches = []byte{}
	second := bare
	second.Partition, second.RecordBatches = 3, []byte("MORE")
	response := &kmsg.FetchResponse{ThrottleMillis: 5, ErrorCode: 70, SessionID: 77,
		Topics: []kmsg.FetchResponseTopic{{Topic: "orders", TopicID: id, Partitions: []kmsg.FetchResponseTopicPartition{full, bare, second}}}}
	show("FetchResponse", "full", 4, 15, response)
	response.Brokers = []kmsg.FetchResponseBroker{{NodeID: 3, Host: "h3", Port: 9093, Rack: s("r")}, {NodeID: 4, Host: "h4", Port: 9094}}
	show("FetchResponse", "full", 16, 16, response) // kmsg writes tags of later versions, too

	show("ListOffsetsRequest", "full", 2, 7, &kmsg.ListOffsetsRequest{ReplicaID: -1, IsolationLevel: 1,
		Topics: []kmsg.ListOffsetsRequestTopic{{Topic: "orders", Partitions: []kmsg.ListOffsetsRequestTopicPartition{
			{Partition: 2, CurrentLeaderEpoch: 6, Timestamp: -2}, {Partition: 3, CurrentLeaderEpoch: -1, Timestamp: 1700000000000}}}}})
	show("ListOffsetsResponse", "full", 2, 7, &kmsg.ListOffsetsResponse{ThrottleMillis: 5,
		Topics: []kmsg.ListOffsetsResponseTopic{{Topic: "orders", Partitions: []kmsg.ListOffsetsResponseTopicPartition{
			{Partition: 2, ErrorCode: 6, Timestamp: 1700000000000, Offset: 1 << 33, LeaderEpoch: 8}}}}})

	show("OffsetForLeaderEpochRequest", "full", 2, 4, &kmsg.OffsetForLeaderEpochRequest{ReplicaID: -1,
		Topics: []kmsg.OffsetForLeaderEpochRequestTopic{{Topic: "orders", Partitions: []kmsg.OffsetForLeaderEpochRequestTopicPartition{
			{Partition: 2, CurrentLeaderEpoch: 6, LeaderEpoch: 5}}}}})
	show("OffsetForLeaderEpochResponse", "full", 2, 4, &kmsg.OffsetForLeaderEpochResponse{ThrottleMillis: 5,
		Topics: []kmsg.OffsetForLeaderEpochResponseTopic{{Topic: "orders", Partitions: []kmsg.OffsetForLeaderEpochResponseTopicPartition{
			{ErrorCode: 74, Partition: 2, LeaderEpoch: 4, EndOffset: 1234567890123}}}}})
}

func produce() {
	show("ProduceRequest", "full", 3, 13, &kmsg.ProduceRequest{TransactionID: s("restore"), Acks: -1, TimeoutMillis: 30000,
		Topics: []kmsg.ProduceRequestTopic{{Topic: "orders", TopicID: id, Partitions: []kmsg.ProduceRequestTopicPartition{
			{Partition: 1, Records: []byte("BATCH ONE")}, {Partition: 2, Records: []byte("BATCH TWO")}}},
			{Topic: "users", TopicID: id, Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: 0, Records: []byte("B3")}}}}})
	show("ProduceRequest", "nulls", 3, 13, &kmsg.ProduceRequest{Acks: 1})
	partition := kmsg.ProduceResponseTopicPartition{Partition: 1, ErrorCode: 87, BaseOffset: 1 << 35, LogAppendTime: 1700000000001,
		LogStartOffset: 4, ErrorMessage: s("refused"), CurrentLeader: kmsg.ProduceResponseTopicPartitionCurrentLeader{LeaderID: 3, LeaderEpoch: 9},
		ErrorRecords: []kmsg.ProduceResponseTopicPartitionErrorRecord{{RelativeOffset: 6, ErrorMessage: s("no key")}, {RelativeOffset: 7}}}
	bare := kmsg.NewProduceResponseTopicPartition()
	tagged := kmsg.ProduceResponse{ThrottleMillis: 5,
		Topics:  []kmsg.ProduceResponseTopic{{Topic: "orders", TopicID: id, Partitions: []kmsg.ProduceResponseTopicPartition{partition, bare}}},
		Brokers: []kmsg.ProduceResponseBroker{{NodeID: 3, Host: "h3", Port: 9094, Rack: s("r")}}}
	partition.CurrentLeader = bare.CurrentLeader
	untagged := kmsg.ProduceResponse{ThrottleMillis: 5,
		Topics: []kmsg.ProduceResponseTopic{{Topic: "orders", TopicID: id, Partitions: []kmsg.ProduceResponseTopicPartition{partition, bare}}}}
	show("ProduceResponse", "full", 3, 9, &untagged) // kmsg writes tags of later versions, too
	show("ProduceResponse", "full", 10, 13, &tagged)

	show("InitProducerIdRequest", "full", 0, 5, &kmsg.InitProducerIDRequest{TransactionalID: s("restore"),
		TransactionTimeoutMillis: 60000, ProducerID: 4000, ProducerEpoch: 3})
	show("InitProducerIdRequest", "nulls", 0, 5, &kmsg.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1})
	show("InitProducerIdResponse", "full", 0, 5, &kmsg.InitProducerIDResponse{ThrottleMillis: 5, ErrorCode: 51, ProducerID: 4001, ProducerEpoch: 4})
	show("AddPartitionsToTxnRequest", "full", 0, 3, &kmsg.AddPartitionsToTxnRequest{TransactionalID: "restore", ProducerID: 4000,
		ProducerEpoch: 3, Topics: []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "orders", Partitions: []int32{1, 2}}}})
	show("AddPartitionsToTxnResponse", "full", 0, 3, &kmsg.AddPartitionsToTxnResponse{ThrottleMillis: 5,
		Topics: []kmsg.AddPartitionsToTxnResponseTopic{{Topic: "orders", Partitions: []kmsg.AddPartitionsToTxnResponseTopicPartition{
			{Partition: 1, ErrorCode: 51}}}}})
	show("EndTxnRequest", "full", 0, 4, &kmsg.EndTxnRequest{TransactionalID: "restore", ProducerID: 4000, ProducerEpoch: 3, Commit: true})
	show("EndTxnResponse", "full", 0, 4, &kmsg.EndTxnResponse{ThrottleMillis: 5, ErrorCode: 47})
}

func topics() {
	show("CreateTopicsRequest", "full", 2, 7, &kmsg.CreateTopicsRequest{TimeoutMillis: 30000, ValidateOnly: true,
		Topics: []kmsg.CreateTopicsRequestTopic{{Topic: "orders", NumPartitions: 12, ReplicationFactor: 3,
			ReplicaAssignment: []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 4, Replicas: []int32{1, 2}}},
			Configs:           []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms", Value: s("-1")}, {Name: "cleanup.policy"}}}}})
	show("CreateTopicsResponse", "full", 2, 7, &kmsg.CreateTopicsResponse{ThrottleMillis: 5,
		Topics: []kmsg.CreateTopicsResponseTopic{{Topic: "orders", TopicID: id, ErrorCode: 36, ErrorMessage: s("exists"),
			ConfigErrorCode: 29, NumPartitions: 12, ReplicationFactor: 3, Configs: []kmsg.CreateTopicsResponseTopicConfig{
				{Name: "retention.ms", Value: s("-1"), ReadOnly: true, Source: 1, IsSensitive: true}, {Name: "secret", Source: 5}}}}})
	show("CreateTopicsResponse", "nulls", 2, 7, &kmsg.CreateTopicsResponse{Topics: []kmsg.CreateTopicsResponseTopic{
		{Topic: "orders", NumPartitions: -1, ReplicationFactor: -1}}})
	show("DeleteTopicsRequest", "full", 1, 5, &kmsg.DeleteTopicsRequest{TopicNames: []string{"orders", "users"}, TimeoutMillis: 30000})
	show("DeleteTopicsResponse", "full", 1, 5, &kmsg.DeleteTopicsResponse{ThrottleMillis: 5,
		Topics: []kmsg.DeleteTopicsResponseTopic{{Topic: s("orders"), ErrorCode: 73, ErrorMessage: s("disabled")}, {Topic: s("users")}}})
	show("DeleteRecordsRequest", "full", 0, 2, &kmsg.DeleteRecordsRequest{TimeoutMillis: 30000,
		Topics: []kmsg.DeleteRecordsRequestTopic{{Topic: "orders", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 2, Offset: 1800000}}}}})
	show("DeleteRecordsResponse", "full", 0, 2, &kmsg.DeleteRecordsResponse{ThrottleMillis: 5,
		Topics: []kmsg.DeleteRecordsResponseTopic{{Topic: "orders", Partitions: []kmsg.DeleteRecordsResponseTopicPartition{{Partition: 2, LowWatermark: 1800000, ErrorCode: 44}}}}})
}

func configs() {
	show("DescribeConfigsRequest", "full", 1, 4, &kmsg.DescribeConfigsRequest{IncludeSynonyms: true, IncludeDocumentation: true,
		Resources: []kmsg.DescribeConfigsRequestResource{{ResourceType: 2, ResourceName: "orders", ConfigNames: []string{"retention.ms"}},
			{ResourceType: 4, ResourceName: "1"}}})
	show("DescribeConfigsResponse", "full", 1, 4, &kmsg.DescribeConfigsResponse{ThrottleMillis: 5,
		Resources: []kmsg.DescribeConfigsResponseResource{{ErrorCode: 29, ErrorMessage: s("denied"), ResourceType: 2, ResourceName: "orders",
			Configs: []kmsg.DescribeConfigsResponseResourceConfig{{Name: "retention.ms", Value: s("-1"), ReadOnly: true, Source: 1, IsSensitive: true,
				ConfigSynonyms: []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{{Name: "log.retention.ms", Value: s("5"), Source: 4}, {Name: "x", Source: 5}},
				ConfigType:     5, Documentation: s("doc")}, {Name: "password", Source: 5}}}, {ResourceType: 4, ResourceName: "1"}}})
	show("IncrementalAlterConfigsRequest", "full", 0, 1, &kmsg.IncrementalAlterConfigsRequest{ValidateOnly: true,
		Resources: []kmsg.IncrementalAlterConfigsRequestResource{{ResourceType: 2, ResourceName: "orders",
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "retention.ms", Op: 0, Value: s("-1")}, {Name: "cleanup.policy", Op: 1}}}}})
	show("IncrementalAlterConfigsResponse", "full", 0, 1, &kmsg.IncrementalAlterConfigsResponse{ThrottleMillis: 5,
		Resources: []kmsg.IncrementalAlterConfigsResponseResource{{ErrorCode: 40, ErrorMessage: s("bad"), ResourceType: 2, ResourceName: "orders"},
			{ResourceType: 2, ResourceName: "users"}}})
	show("DescribeLogDirsRequest", "full", 1, 4, &kmsg.DescribeLogDirsRequest{
		Topics: []kmsg.DescribeLogDirsRequestTopic{{Topic: "orders", Partitions: []int32{0, 5}}}})
	show("DescribeLogDirsRequest", "all", 1, 4, &kmsg.DescribeLogDirsRequest{})
	show("DescribeLogDirsResponse", "full", 1, 4, &kmsg.DescribeLogDirsResponse{ThrottleMillis: 5, ErrorCode: 31,
		Dirs: []kmsg.DescribeLogDirsResponseDir{{ErrorCode: 56, Dir: "/data", TotalBytes: 1 << 42, UsableBytes: 1 << 41,
			Topics: []kmsg.DescribeLogDirsResponseDirTopic{{Topic: "orders", Partitions: []kmsg.DescribeLogDirsResponseDirTopicPartition{
				{Partition: 5, Size: 1 << 34, OffsetLag: 3, IsFuture: true}}}}}}})
}

func groups() {
	show("ListGroupsRequest", "full", 0, 5, &kmsg.ListGroupsRequest{StatesFilter: []string{"Stable", "Empty"}, TypesFilter: []string{"consumer"}})
	show("ListGroupsResponse", "full", 0, 5, &kmsg.ListGroupsResponse{ThrottleMillis: 5, ErrorCode: 14,
		Groups: []kmsg.ListGroupsResponseGroup{{Group: "billing", ProtocolType: "consumer", GroupState: "Stable", GroupType: "classic"}}})
	show("DescribeGroupsRequest", "full", 0, 6, &kmsg.DescribeGroupsRequest{Groups: []string{"billing", "audit"}, IncludeAuthorizedOperations: true})
	show("DescribeGroupsResponse", "full", 0, 6, &kmsg.DescribeGroupsResponse{ThrottleMillis: 5,
		Groups: []kmsg.DescribeGroupsResponseGroup{{ErrorCode: 69, ErrorMessage: s("gone"), Group: "billing", State: "Stable", ProtocolType: "consumer",
			Protocol: "range", AuthorizedOperations: 328, Members: []kmsg.DescribeGroupsResponseGroupMember{{MemberID: "m", InstanceID: s("i"),
				ClientID: "c", ClientHost: "/10.0.0.1", ProtocolMetadata: []byte{0, 255}, MemberAssignment: []byte{1, 2, 3}},
				{MemberID: "m2", ProtocolMetadata: []byte{}, MemberAssignment: []byte{}}}}, {AuthorizedOperations: -2147483648}}})
	show("OffsetFetchRequest", "full", 2, 7, &kmsg.OffsetFetchRequest{Group: "billing", RequireStable: true,
		Topics: []kmsg.OffsetFetchRequestTopic{{Topic: "orders", Partitions: []int32{0, 1}}}})
	show("OffsetFetchRequest", "all", 2, 7, &kmsg.OffsetFetchRequest{Group: "billing"})
	show("OffsetFetchResponse", "full", 2, 7, &kmsg.OffsetFetchResponse{ThrottleMillis: 5, ErrorCode: 16,
		Topics: []kmsg.OffsetFetchResponseTopic{{Topic: "orders", Partitions: []kmsg.OffsetFetchResponseTopicPartition{
			{Partition: 1, Offset: 1 << 36, LeaderEpoch: 7, Metadata: s("note"), ErrorCode: 88}, {Partition: 2, Offset: -1, LeaderEpoch: -1}}}}})
	show("OffsetCommitRequest", "full", 2, 9, &kmsg.OffsetCommitRequest{Group: "billing", Generation: 4, MemberID: "m", InstanceID: s("i"),
		RetentionTimeMillis: 86400000, Topics: []kmsg.OffsetCommitRequestTopic{{Topic: "orders", Partitions: []kmsg.OffsetCommitRequestTopicPartition{
			{Partition: 1, Offset: 1 << 36, LeaderEpoch: 7, Metadata: s("note")}, {Partition: 2, Offset: 5, LeaderEpoch: -1}}}}})
	show("OffsetCommitRequest", "nulls", 2, 9, &kmsg.OffsetCommitRequest{Group: "billing", Generation: -1, RetentionTimeMillis: -1})
	show("OffsetCommitResponse", "full", 2, 9, &kmsg.OffsetCommitResponse{ThrottleMillis: 5,
		Topics: []kmsg.OffsetCommitResponseTopic{{Topic: "orders", Partitions: []kmsg.OffsetCommitResponseTopicPartition{{Partition: 1, ErrorCode: 25}}}}})
}

func access() {
	show("DescribeClusterRequest", "full", 0, 0, &kmsg.DescribeClusterRequest{IncludeClusterAuthorizedOperations: true})
	show("DescribeClusterResponse", "full", 0, 0, &kmsg.DescribeClusterResponse{ThrottleMillis: 5, ErrorCode: 31, ErrorMessage: s("denied"),
		ClusterID: "cluster", ControllerID: 2, ClusterAuthorizedOperations: 264,
		Brokers: []kmsg.DescribeClusterResponseBroker{{NodeID: 1, Host: "h1", Port: 9092, Rack: s("r")}, {NodeID: 2, Host: "h2", Port: 9093}}})
	show("DescribeAclsRequest", "full", 1, 3, &kmsg.DescribeACLsRequest{ResourceType: 2, ResourceName: s("orders"), ResourcePatternType: 4,
		Principal: s("User:a"), Host: s("*"), Operation: 8, PermissionType: 3})
	show("DescribeAclsRequest", "all", 1, 3, &kmsg.DescribeACLsRequest{ResourceType: 1, ResourcePatternType: 1, Operation: 1, PermissionType: 1})
	show("DescribeAclsResponse", "full", 1, 3, &kmsg.DescribeACLsResponse{ThrottleMillis: 5, ErrorCode: 54, ErrorMessage: s("none"),
		Resources: []kmsg.DescribeACLsResponseResource{{ResourceType: 3, ResourceName: "billing", ResourcePatternType: 3,
			ACLs: []kmsg.DescribeACLsResponseResourceACL{{Principal: "User:a", Host: "10.0.0.1", Operation: 3, PermissionType: 2}}}}})
	show("DescribeClientQuotasRequest", "full", 0, 1, &kmsg.DescribeClientQuotasRequest{Strict: true,
		Components: []kmsg.DescribeClientQuotasRequestComponent{{EntityType: "user", MatchType: 0, Match: s("a")}, {EntityType: "client-id", MatchType: 1}}})
	show("DescribeClientQuotasResponse", "full", 0, 1, &kmsg.DescribeClientQuotasResponse{ThrottleMillis: 5, ErrorCode: 31, ErrorMessage: s("denied"),
		Entries: []kmsg.DescribeClientQuotasResponseEntry{{
			Entity: []kmsg.DescribeClientQuotasResponseEntryEntity{{Type: "user", Name: s("a")}, {Type: "client-id"}},
			Values: []kmsg.DescribeClientQuotasResponseEntryValue{{Key: "producer_byte_rate", Value: 1048576.5}, {Key: "consumer_byte_rate", Value: -0.25}}}}})
	show("DescribeProducersRequest", "full", 0, 0, &kmsg.DescribeProducersRequest{
		Topics: []kmsg.DescribeProducersRequestTopic{{Topic: "orders", Partitions: []int32{0, 7}}}})
	show("DescribeProducersResponse", "full", 0, 0, &kmsg.DescribeProducersResponse{ThrottleMillis: 5,
		Topics: []kmsg.DescribeProducersResponseTopic{{Topic: "orders", Partitions: []kmsg.DescribeProducersResponseTopicPartition{
			{Partition: 7, ErrorCode: 29, ErrorMessage: s("denied"), ActiveProducers: []kmsg.DescribeProducersResponseTopicPartitionActiveProducer{
				{ProducerID: 4000, ProducerEpoch: 3, LastSequence: 11, LastTimestamp: 1700000000000, CoordinatorEpoch: 2, CurrentTxnStartOffset: 1 << 34}}}}}}})
}

func sasl() {
	show("SaslHandshakeRequest", "full", 1, 1, &kmsg.SASLHandshakeRequest{Mechanism: "SCRAM-SHA-512"})
	show("SaslHandshakeResponse", "full", 1, 1, &kmsg.SASLHandshakeResponse{ErrorCode: 33,
		SupportedMechanisms: []string{"PLAIN", "GSSAPI"}})
	show("SaslAuthenticateRequest", "full", 0, 2, &kmsg.SASLAuthenticateRequest{SASLAuthBytes: []byte{0, 255}})
	show("SaslAuthenticateResponse", "full", 0, 2, &kmsg.SASLAuthenticateResponse{ErrorCode: 58, ErrorMessage: s("no"),
		SASLAuthBytes: []byte{1, 2, 3}, SessionLifetimeMillis: 1 << 34})
	show("SaslAuthenticateResponse", "nulls", 0, 2, &kmsg.SASLAuthenticateResponse{SASLAuthBytes: []byte{}})
}

// Whole request frames: length, header, message. ListGroups turns flexible (header v2) with v3.
func headers() {
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("kafka-backup"))
	for version := int16(2); version <= 3; version++ {
		request := kmsg.ListGroupsRequest{Version: version}
		fmt.Printf("Frame ListGroups %d %x\n", version, formatter.AppendRequest(nil, &request, 305419896))
	}
}
