// For the model test: a stack of its own for each actor, so that handing over takes no help of the operating
// system and a busy machine does not slow the test down. Sanitizers are told about it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include <cxxabi.h>
#include <ucontext.h>

#if defined(KB_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(KB_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace kb::archive::model {

// Resumed and destroyed by one thread, after its body has ended. The body must not let any exception out.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body)
      : body_(std::move(body)), stack_(std::make_unique_for_overwrite<char[]>(stack_bytes)) {
    getcontext(&inside_);
    inside_.uc_stack.ss_sp = stack_.get();
    inside_.uc_stack.ss_size = stack_bytes;
    auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&inside_, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(self >> 32),
                static_cast<unsigned>(self));
#if defined(KB_THREAD_SANITIZER)
    tsan_inside_ = __tsan_create_fiber(0);
#endif
  }
  ~Fiber() {
#if defined(KB_THREAD_SANITIZER)
    __tsan_destroy_fiber(tsan_inside_);
#endif
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  bool ended() const {
    return ended_;
  }

  // From outside: until the body yields or ends.
  void resume() {
    swap_exceptions();
#if defined(KB_ADDRESS_SANITIZER)
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, stack_.get(), stack_bytes);
#elif defined(KB_THREAD_SANITIZER)
    tsan_outside_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_inside_, 0);
#endif
    swapcontext(&outside_, &inside_);
#if defined(KB_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
    swap_exceptions();
  }

  // From inside: back to who resumed it.
  void yield() {
#if defined(KB_ADDRESS_SANITIZER)
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(ended_ ? nullptr : &fake_stack, outside_bottom_, outside_bytes_);
#elif defined(KB_THREAD_SANITIZER)
    __tsan_switch_to_fiber(tsan_outside_, 0);
#endif
    swapcontext(&inside_, &outside_);
#if defined(KB_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(fake_stack, &outside_bottom_, &outside_bytes_);
#endif
  }

 private:
  static constexpr std::size_t stack_bytes = 512 * 1024;

  // What the Itanium C++ ABI keeps per thread (2.2.2): a body may yield inside of a catch block.
  struct CaughtExceptions {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  void swap_exceptions() {
    std::swap(*reinterpret_cast<CaughtExceptions*>(abi::__cxa_get_globals()), exceptions_);
  }

  static void enter(unsigned high, unsigned low) {
    auto& self = *reinterpret_cast<Fiber*>(std::uintptr_t{high} << 32 | low);
#if defined(KB_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(nullptr, &self.outside_bottom_, &self.outside_bytes_);
#endif
    self.body_();
    self.ended_ = true;
    self.yield();
  }

  const std::function<void()> body_;
  const std::unique_ptr<char[]> stack_;
  ucontext_t inside_{}, outside_{};
  CaughtExceptions exceptions_;  // of the side that is not running
  bool ended_ = false;
#if defined(KB_ADDRESS_SANITIZER)
  const void* outside_bottom_ = nullptr;
  std::size_t outside_bytes_ = 0;
#elif defined(KB_THREAD_SANITIZER)
  void* tsan_inside_ = nullptr;
  void* tsan_outside_ = nullptr;
#endif
};

}  // namespace kb::archive::model
