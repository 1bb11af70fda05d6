#include "atoll/app/stop_signal.hpp"

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace atl {

namespace {

// A signal handler can reach nothing but such variables.
volatile std::sig_atomic_t received = 0;
volatile std::time_t received_at = 0;

constexpr std::time_t repeat_seconds = 2;

extern "C" void remember_signal(int number) {
  const std::time_t now = std::time(nullptr);
  if (received != 0 && now - received_at >= repeat_seconds) {
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
  if (received == 0) {
    received = number;
    received_at = now;
  }
}

}  // namespace

void install_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = remember_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaction(number, &action, nullptr);
}

bool stop_requested() {
  return received != 0;
}

const char* stop_signal_name() {
  switch (received) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    case SIGUSR1:
      return "SIGUSR1";
    default:
      return "";
  }
}

}  // namespace atl
