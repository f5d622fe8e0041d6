// Finds the error codes in an answer, wherever its field list has them: the fifth visitor of codec.h. So
// routing can react to NOT_CONTROLLER and its like without knowing each message.
#pragma once
#include "kafka/codec.h"
#include "kafka/error_code.h"

namespace kb::kafka {

template <class Predicate>
class ErrorScan {
 public:
  explicit ErrorScan(Predicate wanted) : wanted_(wanted) {}
  // In any version: fields that are not on the wire have their default, which is no error.
  template <class T>
  void operator()(T& field, const auto&...) {
    visit(field);
  }
  template <class T>
  void tagged(uint32_t, T& field, Versions = {}, const T& = {}) {
    visit(field);
  }
  ErrorCode found() const { return found_; }

 private:
  template <class T>
  void visit(T& field) {
    if constexpr (std::is_same_v<T, ErrorCode>) {
      if (found_ == ErrorCode::none && wanted_(field)) found_ = field;
    } else if constexpr (is_vector<T>::value) {
      if constexpr (Struct<typename T::value_type> || is_vector<typename T::value_type>::value)
        for (auto& element : field) visit(element);
    } else if constexpr (is_optional<T>::value) {
      if (field) visit(*field);
    } else if constexpr (Struct<T>) {
      field.fields(*this);
    }
  }

  Predicate wanted_;
  ErrorCode found_ = ErrorCode::none;
};

// The first error code of `message` for which wanted(code) holds; none when there is no such.
template <class M, class Predicate>
ErrorCode find_error_code(const M& message, Predicate wanted) {
  ErrorScan<Predicate> scan(wanted);
  const_cast<M&>(message).fields(scan);  // one field list serves reading and writing; this only reads
  return scan.found();
}

}  // namespace kb::kafka
