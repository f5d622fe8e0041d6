// Every message that we speak: what the layout check, the golden tests and the fuzzer walk.
#pragma once
#include "kafka/messages_cluster.h"
#include "kafka/messages_configs.h"
#include "kafka/messages_fetch.h"
#include "kafka/messages_groups.h"
#include "kafka/messages_produce.h"
#include "kafka/messages_sasl.h"
#include "kafka/messages_topics.h"

namespace kb::kafka {

template <class... Requests>
struct RequestList {
  // Calls visit.template operator()<Request>() for each.
  static void for_each(auto visit) { (visit.template operator()<Requests>(), ...); }
};

using AllRequests =
    RequestList<ProduceRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
                OffsetFetchRequest, FindCoordinatorRequest, DescribeGroupsRequest, ListGroupsRequest,
                ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DeleteRecordsRequest,
                InitProducerIdRequest, OffsetForLeaderEpochRequest, AddPartitionsToTxnRequest, EndTxnRequest,
                DescribeConfigsRequest, DescribeLogDirsRequest, IncrementalAlterConfigsRequest,
                SaslHandshakeRequest, SaslAuthenticateRequest>;

}  // namespace kb::kafka
