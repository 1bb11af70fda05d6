#include "atoll/app/agreement.hpp"

#include <array>
#include <string>
#include <vector>

#include "atoll/transport/communicator.hpp"

namespace atl {

namespace {

struct Failure {
  ExitCode code = ExitCode::done;
  std::string text;
};

Failure attempt(const std::function<void()>& step) {
  try {
    step();
  } catch (const InternalError&) {
    throw;
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

}  // namespace

void agree_on(Communicator& world, const std::function<void()>& step) {
  const Failure failure = attempt(step);
  const std::int64_t failed = failure.code == ExitCode::done ? 0 : 1;
  const std::array<std::int64_t, 1> mine = {failed};
  if (world.agree_max(mine).front() == 0) return;

  // Rank 0 collects, then tells everybody the first failure: one byte of code, then the text.
  std::vector<std::uint8_t> packed;
  if (failed != 0) {
    packed.push_back(static_cast<std::uint8_t>(failure.code));
    packed.insert(packed.end(), failure.text.begin(), failure.text.end());
  }
  std::vector<std::uint8_t> first;
  for (std::vector<std::uint8_t>& each : world.gather(packed)) {
    if (first.empty()) first = std::move(each);
  }
  first = world.broadcast(std::move(first));
  throw AgreedError(static_cast<ExitCode>(first.front()), std::string(first.begin() + 1, first.end()));
}

}  // namespace atl
