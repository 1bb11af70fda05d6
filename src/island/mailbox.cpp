#include "atoll/island/mailbox.hpp"

#include <cstring>
#include <utility>

#include "atoll/base/error.hpp"
#include "atoll/island/archipelago.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {

Mailbox::Mailbox(Communicator& world, std::vector<Edge> edges, std::uint32_t islands,
                 std::function<void()> idle)
    : world_(world),
      edges_(std::move(edges)),
      islands_(islands),
      idle_(std::move(idle)),
      into_(islands),
      out_of_(islands),
      queues_(edges_.size()) {
  for (std::uint32_t e = 0; e < edges_.size(); ++e) {
    into_[edges_[e].to].push_back(e);
    out_of_[edges_[e].from].push_back(e);
  }
}

int Mailbox::rank_of(std::uint32_t island) const {
  return static_cast<int>(rank_of_island(island, islands_, static_cast<std::uint32_t>(world_.size())));
}

void Mailbox::post(std::uint32_t edge, Letter letter) {
  const int to = rank_of(edges_[edge].to);
  if (to == world_.rank()) {
    queues_[edge].push_back(std::move(letter));
    return;
  }
  const auto* address = reinterpret_cast<const std::uint8_t*>(&edge);
  letter.insert(letter.end(), address, address + sizeof edge);
  world_.send(to, Channel::migration, std::move(letter));
}

void Mailbox::file(Letter letter) {
  std::uint32_t edge = 0;
  if (letter.size() < sizeof edge) throw InternalError("a letter between islands has no address");
  std::memcpy(&edge, letter.data() + letter.size() - sizeof edge, sizeof edge);
  letter.resize(letter.size() - sizeof edge);
  if (edge >= edges_.size())
    throw InternalError("a letter between islands is addressed to an edge that is not");
  queues_[edge].push_back(std::move(letter));
}

const Mailbox::Letter& Mailbox::wait_for(std::uint32_t edge) {
  while (queues_[edge].empty()) {
    file(world_.receive(rank_of(edges_[edge].from), Channel::migration, idle_).bytes);
  }
  return queues_[edge].front();
}

Mailbox::Letter Mailbox::take(std::uint32_t edge) {
  wait_for(edge);
  Letter letter = std::move(queues_[edge].front());
  queues_[edge].pop_front();
  return letter;
}

void Mailbox::put_back(std::uint32_t edge, Letter letter) {
  queues_[edge].push_back(std::move(letter));
}

}  // namespace atl
