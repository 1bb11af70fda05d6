// Steps that all ranks take together and that fail together: every rank learns of an error of any rank, so
// that none waits for one that has gone, and one message is printed, not one per rank.
#pragma once

#include <functional>

#include "atoll/base/error.hpp"

namespace atl {

class Communicator;

/// An error every rank knows of: main() prints it on rank 0 and ends all ranks in order.
class AgreedError : public Error {
 public:
  using Error::Error;
};

/// Runs `step` on every rank, then agrees. If any rank failed, throws AgreedError with the message of the
/// lowest of them on all ranks. An InternalError of one rank is not waited with: it leaves at once.
void agree_on(Communicator& world, const std::function<void()>& step);

}  // namespace atl
