#include "timeloop_walk.hpp"

#include <algorithm>

namespace atl::timeloop {
namespace {

Point sum(const Point& a, const Point& b, Count factor) {
  Point result;
  for (std::size_t i = 0; i < axes; ++i) result[i] = a[i] + factor * b[i];
  return result;
}

// The words of one step as a set: a box with a box cut out at one of its corners, somewhere.
struct Outcome {
  Count words = 0;
  Point anchor{}, box{}, cut{};
  bool same_form(const Outcome& other) const { return box == other.box && cut == other.cut; }
};

// What the rules remember of the past: the last movement that was not nil (its kind, or none), and what the
// step before asked for.
struct State {
  std::size_t memory = 0, outcome = 0;
  bool operator==(const State&) const = default;
};

using Weights = std::vector<Count>;  // by event

struct Passage {
  Weights weights;
  State after;
};

class Walk {
 public:
  Walk(const TileShape& tile, const WalkRules& rules, std::vector<Count> bounds, std::vector<Point> moves)
      : tile_(tile), rules_(rules), bounds_(std::move(bounds)), moved_(std::move(moves)) {
    outcomes_.push_back(whole());
    for (std::size_t j = 0; j < moved_.size(); ++j) {
      memory_.push_back(
          1 + static_cast<std::size_t>(std::find(moved_.begin(), moved_.end(), moved_[j]) - moved_.begin()));
      outcomes_.push_back(whole());
      outcomes_.push_back(rules_.latch ? missing(moved_[j]) : whole());
    }
    const std::size_t states = (moved_.size() + 1) * (rules_.neighbours ? outcomes_.size() : 1);
    known_.assign(states * (moved_.size() + 1), none);
  }

  std::vector<Event> run() {
    Weights total;
    add(total, event_of(outcomes_[0], nullptr, Point{}), 1);
    accumulate(total, passages_[passage(0, State{})].weights, 1);
    for (std::size_t e = 0; e < total.size(); ++e) events_[e].weight = total[e];
    std::erase_if(events_, [](const Event& e) { return e.words == 0 || e.weight == 0; });
    return events_;
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  Outcome whole() const { return {tile_.words(), {}, tile_.box(), {}}; }

  Outcome missing(const Point& moved) const {
    const Count overlap = tile_.overlap(moved);
    if (overlap == 0) return whole();
    Outcome result = {tile_.words() - overlap, {}, tile_.box(), moved};
    if (tile_.has_holes() || std::count(moved.begin(), moved.end(), 0) != axes - 1) return result;
    const std::size_t a = static_cast<std::size_t>(
        std::find_if(moved.begin(), moved.end(), [](Count m) { return m != 0; }) - moved.begin());
    result.box[a] = std::abs(moved[a]);
    result.cut = {};
    if (moved[a] > 0) result.anchor[a] = tile_.box()[a] - moved[a];
    return result;
  }

  // Loop j advances.
  State advance(std::size_t j, const State& before, Weights& weights, Count weight) {
    const bool still = moved_[j] == Point{};
    const bool turned = rules_.displacement_reset && rules_.latch && !still && before.memory != 0 &&
                        before.memory != memory_[j];
    const std::size_t outcome = 1 + 2 * j + (turned || !rules_.latch ? 0 : 1);
    const Outcome& now = outcomes_[outcome];
    const Outcome* then = rules_.neighbours ? &outcomes_[before.outcome] : nullptr;
    add(weights, event_of(now, then, moved_[j]), weight);
    State after;
    if (rules_.displacement_reset && rules_.latch)
      after.memory = still ? before.memory : turned ? 0 : memory_[j];
    if (rules_.neighbours) after.outcome = outcome;
    return after;
  }

  std::size_t event_of(const Outcome& now, const Outcome* then, const Point& moved) {
    Event event;
    event.words = now.words;
    if (then != nullptr && now.words > 0 && then->words > 0 && now.same_form(*then)) {
      event.shifted = true;
      event.shift = sum(sum(now.anchor, moved, 1), then->anchor, -1);
    }
    const auto same = [&](const Event& e) {
      return e.words == event.words && e.shifted == event.shifted && e.shift == event.shift;
    };
    const auto found = std::find_if(events_.begin(), events_.end(), same);
    if (found == events_.end()) events_.push_back(event);
    return static_cast<std::size_t>(std::find_if(events_.begin(), events_.end(), same) - events_.begin());
  }

  static void add(Weights& weights, std::size_t event, Count weight) {
    if (weights.size() <= event) weights.resize(event + 1, 0);
    weights[event] += weight;
  }
  static void accumulate(Weights& to, const Weights& from, Count factor) {
    for (std::size_t e = 0; e < from.size(); ++e) add(to, e, factor * from[e]);
  }

  // From all turns 0 of loop i and those inside to their last turns.
  std::size_t passage(std::size_t i, const State& before) {
    const std::size_t states = known_.size() / (moved_.size() + 1);
    const std::size_t key = i * states + before.memory * (states / (moved_.size() + 1)) + before.outcome;
    if (known_[key] != none) return known_[key];
    Passage result = {{}, before};
    if (i < moved_.size()) {
      result = passages_[passage(i + 1, before)];
      if (rules_.extrapolation) {
        result.after = turn(i, result.after, result.weights, bounds_[i] - 1);
      } else {
        all_turns(i, result);
      }
    }
    passages_.push_back(std::move(result));
    return known_[key] = passages_.size() - 1;
  }

  // Loop i advances and those inside run through.
  State turn(std::size_t i, const State& before, Weights& weights, Count weight) {
    const State moved = advance(i, before, weights, weight);
    const Passage& inside = passages_[passage(i + 1, moved)];
    accumulate(weights, inside.weights, weight);
    return inside.after;
  }

  // Turns 1 to bound - 1. States repeat soon, and from then on in a cycle.
  void all_turns(std::size_t i, Passage& result) {
    std::vector<State> seen;
    std::vector<Weights> weights;
    State state = result.after;
    Count left = bounds_[i] - 1;
    while (left > 0) {
      const auto again = std::find(seen.begin(), seen.end(), state);
      if (again != seen.end()) {
        const auto first = static_cast<std::size_t>(again - seen.begin());
        const auto cycle = static_cast<Count>(seen.size() - first);
        for (Count c = 0; c < cycle; ++c)
          accumulate(result.weights, weights[first + static_cast<std::size_t>(c)],
                     left / cycle + (c < left % cycle ? 1 : 0));
        state = seen[first + static_cast<std::size_t>(left % cycle)];
        break;
      }
      seen.push_back(state);
      weights.emplace_back();
      state = turn(i, state, weights.back(), 1);
      accumulate(result.weights, weights.back(), 1);
      --left;
    }
    result.after = state;
  }

  const TileShape& tile_;
  const WalkRules& rules_;
  std::vector<Count> bounds_;
  std::vector<Point> moved_;         // by loop that advances
  std::vector<std::size_t> memory_;  // its movement's number, equal for equal movements, from 1
  std::vector<Outcome> outcomes_;    // the first tile; then by loop: the whole tile, what is missing
  std::vector<Event> events_;
  std::vector<Passage> passages_;
  std::vector<std::size_t> known_;
};

}  // namespace

std::vector<Event> walk(const Layer& layer, Operand operand, const TileShape& tile,
                        const std::vector<Loop>& loops, const WalkRules& rules) {
  std::vector<Count> bounds;
  std::vector<Point> moves;
  Point back{};
  for (std::size_t j = loops.size(); j-- > 0;) {
    const Point step = project(layer, operand, loops[j].dim, loops[j].step);
    bounds.push_back(loops[j].bound);
    moves.push_back(sum(step, back, -1));
    back = sum(back, step, rules.extrapolation ? 1 : loops[j].bound - 1);
  }
  std::reverse(bounds.begin(), bounds.end());
  std::reverse(moves.begin(), moves.end());
  return Walk(tile, rules, std::move(bounds), std::move(moves)).run();
}

}  // namespace atl::timeloop
