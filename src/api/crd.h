// CustomResourceDefinitions of the kinds, as crdgen writes them to deploy/crds/all.yaml. Pure.
// https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
#pragma once
#include <string>

#include <boost/json/object.hpp>

#include "api/kinds.h"

namespace kb::api {

boost::json::object custom_resource_definition(const KindInfo& kind);

// All of them as YAML documents.
std::string crds_yaml();

}  // namespace kb::api
