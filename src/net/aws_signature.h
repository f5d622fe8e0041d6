// Signature Version 4 of AWS in the query of a GET request ("presigned URL"), over no body and the header
// Host (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html). Pure.
#pragma once
#include <chrono>
#include <map>
#include <string>

namespace kb {

struct AwsCredentials {
  std::string access_key_id, secret_access_key;
  std::string session_token;  // of temporary credentials, else empty
};

struct AwsPresign {
  std::string host;  // as in the Host header
  std::string region, service;
  std::chrono::sys_seconds time;
  std::chrono::seconds valid;
  std::map<std::string, std::string> parameters;  // of the request itself, not encoded
};

// All parameters of the signed query, not encoded: those given and X-Amz-Algorithm, -Credential, -Date,
// -Expires, -SignedHeaders, -Signature and, where there is a session token, -Security-Token.
std::map<std::string, std::string> aws_presigned(const AwsCredentials& credentials,
                                                 const AwsPresign& request);

}  // namespace kb
