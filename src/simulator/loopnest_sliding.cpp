// Inputs whose tiles slide, for one row of a pack: the sums of windowed_input.hpp, most of them from a table
// of tiles. A sum over places of a tile is words times places less what lies in the padding, and the padding
// is reached only by words close to the ends.
#include <cmath>

#include "loopnest_pack.hpp"

namespace atl::loopnest {
namespace {

// Loops as numbers of steps and their lengths; only those shorter than the padding matter.
class ShortSteps {
 public:
  explicit ShortSteps(double depth) : depth_(depth) {}
  void push(double count, double step) {
    if (count > 1 && step < depth_) step_[size_++] = {count, step};
  }
  /// Places of all loops together less than the depth from an end.
  double places() const { return places(0, depth_); }

 private:
  struct Steps {
    double count, step;
  };

  double places(std::size_t i, double depth) const {
    if (i == size_) return 1;
    const auto [count, step] = step_[i];
    if (i + 1 == size_) return std::min(count, std::ceil(depth / step));
    double sum = 0;
    for (double k = 0; k < count && k * step < depth; ++k) sum += places(i + 1, depth - k * step);
    return sum;
  }

  double depth_;
  std::array<Steps, max_loops> step_;
  std::size_t size_ = 0;
};

template <int N>
class SlidingRow {
 public:
  SlidingRow(const Program& program, PackState<N>& state, std::size_t lane)
      : program_(program), state_(state), mapping_(*state.mapping[lane]), lane_(lane) {}

  /// Fills moved, joined, window, and starts of the state for every link of the inputs' chain. False if one
  /// of them needs the general form.
  bool count() {
    const Chain& chain = program_.chain[index(Operand::I)];
    for (std::size_t l = 0; l < chain.deepest; ++l) {
      turning_ |= bits(state_.turning[l]) << l * dim_count;
      innermost_ |= bits(state_.innermost[l]) << l * dim_count;
    }
    for (std::size_t link = 0; link < chain.size; ++link)
      if (!count(link, chain.link[link])) return false;
    return true;
  }

 private:
  // Distinct first words of the children that join along one axis.
  struct Joined {
    DistinctPairs starts;
    double places = 1, span = 0;  // of all their loops in space
  };
  // The tiles along one axis that are looked at: loops inside the one that turns stand at their last turn.
  struct Along {
    const Window* window = nullptr;
    const Joined* joined = nullptr;
    double places = 1, start = 0, end = 0;
    double fallen = 0;  // how far loops inside go back
    bool known = false;
    double still = 0;  // the sum at a turn of a loop that is not along this axis
  };
  struct Turn {
    std::size_t level = 0, place = 0;
    double count = 1, step = 0;  // turns of the loop itself if it is along the axis
  };

  double at(const typename PackState<N>::Real& numbers) const { return numbers[lane_]; }
  std::uint64_t bits(const typename PackState<N>::Real& numbers) const {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(at(numbers)));
  }

  bool count(std::size_t link, Edge edge) {
    edge_ = edge;
    const bool bottom = edge.child == program_.structure.levels;
    if (!bottom && Rules::stalls(program_.structure.buffering[edge.child])) return false;
    std::array<Joined, 2> joined;
    std::array<const Joined*, 2> with = {nullptr, nullptr};
    const Extents& tile = mapping_.level[edge.child - 1].x;
    for (std::size_t a = 0; a < 2; ++a) {
      const Axis& axis = program_.layer.axis[a];
      window_[a] = &program_.pack.axis[a].at(tile[axis.row_dim], tile[axis.tap_dim]);
      if (axis.plain || std::min(at(state_.joined_rows[a][link]), at(state_.joined_taps[a][link])) == 1)
        continue;
      if (!join(axis, joined[a])) return false;
      with[a] = &joined[a];
    }
    state_.window[link][lane_] = window_[0]->words * window_[1]->words;
    const double alone = moved({nullptr, nullptr});
    state_.moved[link][lane_] = state_.joined[link][lane_] = alone;
    if (with[0] != nullptr || with[1] != nullptr) {
      state_.joined[link][lane_] = moved(with);
      for (const Joined* one : with) {
        if (one == nullptr) continue;
        const double starts = at(state_.starts[link]);
        state_.starts[link][lane_] = starts / one->places * as_double(one->starts.values);
      }
    }
    return !rare_;
  }

  // The loops in space of rows and of taps, if each is one loop.
  bool join(const Axis& axis, Joined& joined) const {
    Words rows = 1, taps = 1, row_step = 0, tap_step = 0;
    for (std::size_t l = edge_.parent; l < edge_.child; ++l) {
      if (!is_joining(l)) continue;
      const Words here_rows = static_cast<Words>(at(state_.space[l][axis.row_dim]));
      const Words here_taps = static_cast<Words>(at(state_.space[l][axis.tap_dim]));
      if ((rows > 1 && here_rows > 1) || (taps > 1 && here_taps > 1)) return false;
      if (here_rows > 1) rows = here_rows, row_step = mapping_.level[l].x[axis.row_dim] * axis.row_step;
      if (here_taps > 1) taps = here_taps, tap_step = mapping_.level[l].x[axis.tap_dim] * axis.tap_step;
    }
    joined.starts = distinct_pairs(rows, row_step, taps, tap_step);
    joined.places = as_double(rows * taps);
    joined.span = as_double((rows - 1) * row_step + (taps - 1) * tap_step);
    return true;
  }

  bool is_joining(std::size_t l) const {
    return l >= edge_.parent && program_.structure.has_fanout[l] &&
           Rules::joins_reads(program_.structure.fanout[l]);
  }

  // Words along both axes and all steps that tiles fetch: WindowedInput::moved_words.
  double moved(const std::array<const Joined*, 2>& joined) {
    std::array<Along, 2> axis = {along(0, joined[0]), along(1, joined[1])};
    const double across = at(state_.across[edge_.child]);
    const double held = across * axis[0].still * axis[1].still;
    return edge_.child == program_.structure.levels ? held : held - kept(across, axis);
  }

  Along along(std::size_t a, const Joined* joined) {
    const Window& window = *window_[a];
    Along all = {&window, joined, window.places, window.start, window.end, 0, true, window.held};
    if (joined != nullptr) all.still = sum(a, all, window.places, window.end, 0, {.level = edge_.child});
    return all;
  }

  // Words that a tile shares with the one before: WindowedInput::kept_words.
  double kept(double across, std::array<Along, 2>& axis) {
    const std::uint64_t outside = (std::uint64_t{1} << edge_.child * dim_count) - 1;
    // From the innermost loop that gives other words on out nothing is shared.
    const std::uint64_t last = std::bit_floor(innermost_ & outside);
    std::uint64_t places = turning_ & outside & ~(last == 0 ? 0 : 2 * last - 1);
    double kept_words = 0;
    while (places != 0) {
      const auto innermost = static_cast<std::size_t>(std::bit_width(places)) - 1;
      places ^= std::uint64_t{1} << innermost;
      const Turn turn = {.level = innermost / dim_count, .place = innermost % dim_count};
      const LevelMapping& level = mapping_.level[turn.level];
      const std::size_t d = level.order[turn.place];
      const double bound = at(state_.turns[turn.level][d]);
      if ((program_.layer.sliding >> d & 1) == 0) {
        across /= bound;
        if (still(0, axis[0], turn) != 0)
          kept_words += across * (bound - 1) * axis[0].still * still(1, axis[1], turn);
      } else {
        const double step = as_double(level.temporal[d] * program_.layer.word_step[d]);
        kept_words += across * kept_along(program_.layer.axis_of[d], axis, bound, step, turn);
      }
    }
    return kept_words;
  }

  double still(std::size_t a, Along& own, const Turn& turn) {
    if (own.known) return own.still;
    own.known = true;
    const bool apart = std::abs(own.fallen) > own.window->reach;
    return own.still = apart ? 0 : sum(a, own, own.places, own.end, own.fallen, turn);
  }

  // At a turn of a loop along axis a; afterwards the loop stands at its last turn.
  double kept_along(std::size_t a, std::array<Along, 2>& axis, double bound, double step, Turn turn) {
    Along& own = axis[a];
    const double shift = own.fallen + step;
    const double outside = own.places / bound;
    double words = 0;
    if (std::abs(shift) <= own.window->reach) {
      words = still(1 - a, axis[1 - a], turn);
      turn.count = bound - 1;
      turn.step = step;
      if (words != 0) words *= sum(a, own, outside * (bound - 1), own.end - step, shift, turn);
    }
    own.places = outside;
    own.start += (bound - 1) * step;
    own.fallen -= (bound - 1) * step;
    own.known = false;
    return words;
  }

  // Over places from own.start to `end`: stored words of a tile that are also in the tile moved by `shift`.
  double sum(std::size_t a, const Along& own, double places, double end, double shift, const Turn& turn) {
    if (program_.layer.axis[a].plain) return 1;
    if (own.joined == nullptr)
      return sum_window(a, *own.window, nullptr, places, own.start, end, shift, turn);
    double words = 0;
    for (std::size_t i = 0; i < own.joined->starts.parts; ++i) {
      const DistinctPairs::Part& part = own.joined->starts.part[i];
      const double first = as_double(part.offset);
      const double span = as_double((part.count_a - 1) * part.step_a + (part.count_b - 1) * part.step_b);
      const double outside = places / own.joined->places;
      words += sum_window(a, *own.window, &part, outside * as_double(part.count_a * part.count_b),
                          own.start + first, end - own.joined->span + first + span, shift, turn);
    }
    return words;
  }

  double sum_window(std::size_t a, const Window& window, const DistinctPairs::Part* starts, double places,
                    double start, double end, double shift, const Turn& turn) {
    if (shift == 0) {
      double words = 0;
      for (std::size_t i = 0; i < window.parts; ++i)
        words += inside(a, window, starts, window.part[i], places, start, end, turn);
      return words;
    }
    Window::Part part = window.part[0];
    if (window.parts > 1 || part.count_b > 1) {
      rare_ = true;
      return 0;
    }
    double turns = std::abs(shift);
    if (part.step_a > 1) {
      turns = turns / part.step_a;
      if (turns != std::floor(turns)) return 0;
    }
    if (turns >= part.count_a) return 0;
    part.offset = std::max(0.0, shift);
    part.words = part.count_a = part.count_a - turns;
    part.span = (part.count_a - 1) * part.step_a;
    return inside(a, window, starts, part, places, start, end, turn);
  }

  // Of the words of all places those that are stored.
  double inside(std::size_t a, const Window& window, const DistinctPairs::Part* starts,
                const Window::Part& part, double places, double start, double end, const Turn& turn) const {
    const double extent = as_double(program_.layer.axis[a].extent);
    const double above = -(start + part.offset);
    const double below = end + part.offset + part.span + 1 - extent;
    double words = places * part.words;
    if (std::max(above, below) <= 1)  // no guesses in the commonest case: padding of at most one word
      return words - static_cast<double>(above > 0) - static_cast<double>(below > 0);
    if (above > 0) words -= outside(a, window, starts, part, above, turn);
    if (below > 0) words -= outside(a, window, starts, part, below, turn);
    return words;
  }

  // Words of all places less than `depth` from the outer end of the outermost place.
  double outside(std::size_t a, const Window& window, const DistinctPairs::Part* starts,
                 const Window::Part& part, double depth, const Turn& turn) const {
    if (depth == 1) return 1;
    if (starts == nullptr && depth <= window.least_step && part.count_b == 1)
      return std::min(part.count_a, part.step_a == 1 ? depth : std::ceil(depth / part.step_a));
    ShortSteps steps(depth);
    steps.push(part.count_a, part.step_a);
    steps.push(part.count_b, part.step_b);
    steps.push(turn.count, turn.step);
    if (starts != nullptr) {
      steps.push(as_double(starts->count_a), as_double(starts->step_a));
      steps.push(as_double(starts->count_b), as_double(starts->step_b));
    }
    if (depth > window.least_step) push_loops(program_.layer.axis[a], starts != nullptr, turn, steps);
    return steps.places();
  }

  // All loops in space outside the child but those that join, and those in time outside the one that turns.
  void push_loops(const Axis& axis, bool joined, const Turn& turn, ShortSteps& steps) const {
    for (std::size_t l = 0; l < edge_.child; ++l) {
      const LevelMapping& level = mapping_.level[l];
      for (const std::size_t d : {axis.row_dim, axis.tap_dim}) {
        if (program_.layer.layer.size[d] == 1) continue;
        const Words word_step = program_.layer.word_step[d];
        if (program_.structure.has_fanout[l] && !(joined && is_joining(l)))
          steps.push(at(state_.space[l][d]), as_double(level.x[d] * word_step));
        if (l < turn.level || (l == turn.level && stands_before(turn.place, level, d)))
          steps.push(at(state_.turns[l][d]), as_double(level.temporal[d] * word_step));
      }
    }
  }

  static bool stands_before(std::size_t place, const LevelMapping& level, std::size_t d) {
    for (std::size_t i = 0; i < place; ++i)
      if (level.order[i] == d) return true;
    return false;
  }

  const Program& program_;
  PackState<N>& state_;
  const Mapping& mapping_;
  std::size_t lane_;
  // Places of loops in time as bits, the outermost level's lowest: all that turn, and each level's innermost
  // that gives other words.
  std::uint64_t turning_ = 0, innermost_ = 0;
  Edge edge_{};
  std::array<const Window*, 2> window_{};
  bool rare_ = false;
};

}  // namespace

template <int N>
std::uint32_t count_sliding(const Program& program, PackState<N>& state) {
  std::uint32_t general = 0;
  for (std::size_t lane = 0; lane < N; ++lane)
    if (!SlidingRow<N>(program, state, lane).count()) general |= 1U << lane;
  return general;
}

template <int N>
void count_in_general(const Program& program, PackState<N>& state, std::uint32_t rows) {
  const Chain& chain = program.chain[index(Operand::I)];
  for (std::size_t lane = 0; lane < N; ++lane) {
    if ((rows >> lane & 1) == 0) continue;
    Nest nest;
    build_nest<Rules>(program.structure, program.layer.layer, *state.mapping[lane], nest);
    WindowedInput<Rules> input(program.structure, program.layer, nest);
    input.gather();
    for (std::size_t i = 0; i < chain.size; ++i) {
      const Transfers one = input.transfers(chain.link[i]);
      auto& words = state.words[i];
      words.delivered[lane] = as_double(one.delivered);
      words.sent[lane] = as_double(one.sent);
      words.first[lane] = as_double(one.first);
      words.tile[lane] = as_double(one.tile);
      words.apart[lane] = as_double(one.apart);
    }
  }
}

template std::uint32_t count_sliding<8>(const Program&, PackState<8>&);
template std::uint32_t count_sliding<4>(const Program&, PackState<4>&);
template std::uint32_t count_sliding<2>(const Program&, PackState<2>&);
template void count_in_general<8>(const Program&, PackState<8>&, std::uint32_t);
template void count_in_general<4>(const Program&, PackState<4>&, std::uint32_t);
template void count_in_general<2>(const Program&, PackState<2>&, std::uint32_t);

}  // namespace atl::loopnest
