// Inputs whose tiles slide, for one row of a pack: the sums of windowed_input.hpp, most of them from a table
// of tiles. A sum over places of a tile is words times places less what lies in the padding; where the
// padding reaches less deep than the smallest loop steps, only the first and the last place lose words to it.
#include <cmath>

#include "loopnest_pack.hpp"

namespace atl::loopnest {
namespace {

template <int N>
class SlidingRow {
 public:
  SlidingRow(const Program& program, PackState<N>& state, std::size_t lane)
      : program_(program), state_(state), mapping_(*state.mapping[lane]), lane_(lane) {}

  /// Fills moved, joined, window, starts and first of the state for every link of the inputs' chain. False if
  /// one of them needs the general form.
  bool count() {
    const Chain& chain = program_.chain[index(Operand::I)];
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
  struct Along {
    const Window* window = nullptr;
    const Joined* joined = nullptr;
    double places = 1, start = 0, end = 0;  // of the tiles that are summed
    double fallen = 0;                      // how far loops inside go back
  };

  double at(const typename PackState<N>::Real& numbers) const { return numbers[lane_]; }

  bool count(std::size_t link, Edge edge) {
    const bool bottom = edge.child == program_.structure.levels;
    const Extents& tile = mapping_.level[edge.child - 1].x;
    std::array<const Window*, 2> window;
    std::array<Joined, 2> joined;
    bool joins = false, rare = false;
    std::array<bool, 2> diagonal{};
    for (std::size_t a = 0; a < 2; ++a) {
      const Axis& axis = program_.layer.axis[a];
      window[a] = &program_.pack.axis[a].at(tile[axis.row_dim], tile[axis.tap_dim]);
      diagonal[a] = !axis.plain && at(state_.joined_rows[a][link]) > 1 && at(state_.joined_taps[a][link]) > 1;
      joins |= diagonal[a];
      if (diagonal[a] && !join(axis, edge, joined[a])) return false;
    }
    const double across = at(state_.across[edge.child]);
    double moved = across * window[0]->held * window[1]->held;
    if (!bottom) moved -= kept(edge.child, across, window, {nullptr, nullptr}, rare);
    state_.moved[link][lane_] = state_.joined[link][lane_] = moved;
    state_.window[link][lane_] = window[0]->words * window[1]->words;
    if (!bottom && Rules::stalls(program_.structure.buffering[edge.child])) return false;
    if (joins) {
      const std::array<const Joined*, 2> with = {diagonal[0] ? &joined[0] : nullptr,
                                                 diagonal[1] ? &joined[1] : nullptr};
      count_joined(link, edge, across, window, with, rare);
    }
    return !rare;
  }

  void count_joined(std::size_t link, Edge edge, double across, const std::array<const Window*, 2>& window,
                    const std::array<const Joined*, 2>& joined, bool& rare) {
    double moved = across;
    for (std::size_t a = 0; a < 2; ++a) {
      if (joined[a] == nullptr) {
        moved *= window[a]->held;
        continue;
      }
      const Along all = along(window[a], joined[a]);
      moved *= sum(a, all, all.places, all.end, 0, rare);
      double& starts = reinterpret_cast<double*>(&state_.starts[link])[lane_];
      starts = starts / joined[a]->places * as_double(joined[a]->starts.values);
    }
    if (edge.child != program_.structure.levels) moved -= kept(edge.child, across, window, joined, rare);
    state_.joined[link][lane_] = moved;
  }

  static Along along(const Window* window, const Joined* joined) {
    return {window, joined, window->places, window->start, window->end, 0};
  }

  // The loops in space of rows and of taps, if each is one loop.
  bool join(const Axis& axis, Edge edge, Joined& joined) const {
    Words rows = 1, taps = 1, row_step = 0, tap_step = 0;
    for (std::size_t l = edge.parent; l < edge.child; ++l) {
      if (!program_.structure.has_fanout[l] || !Rules::joins_reads(program_.structure.fanout[l])) continue;
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

  // Words that a tile shares with the one before: WindowedInput::kept_words.
  double kept(std::size_t child, double across, const std::array<const Window*, 2>& window,
              const std::array<const Joined*, 2>& joined, bool& rare) const {
    std::array<Along, 2> axis = {along(window[0], joined[0]), along(window[1], joined[1])};
    double kept_words = 0;
    for (std::size_t l = child; l-- > 0;) {
      const LevelMapping& level = mapping_.level[l];
      auto places = static_cast<std::uint32_t>(static_cast<std::int32_t>(at(state_.turning[l])));
      while (places != 0) {
        const auto place = static_cast<std::uint32_t>(std::bit_width(places)) - 1;
        places ^= 1U << place;
        const std::size_t d = level.order[place];
        if (Rules::ends_overlap(program_.layer.apart[index(Operand::I)], d)) return kept_words;
        const double bound = at(state_.turns[l][d]);
        if ((program_.layer.sliding >> d & 1) == 0) {
          across /= bound;
          kept_words += across * (bound - 1) * both(axis, rare);
        } else {
          const double step = static_cast<double>(level.temporal[d] * program_.layer.word_step[d]);
          kept_words += across * turn(axis, program_.layer.axis_of[d], bound, step, rare);
        }
      }
    }
    return kept_words;
  }

  // At a turn of a loop that moves no tile.
  double both(const std::array<Along, 2>& axis, bool& rare) const {
    for (const Along& one : axis)
      if (std::abs(one.fallen) > one.window->reach) return 0;
    double words = 1;
    for (std::size_t a = 0; a < 2; ++a)
      words *= sum(a, axis[a], axis[a].places, axis[a].end, axis[a].fallen, rare);
    return words;
  }

  // At a turn of a loop along axis a; afterwards the loop stands at its last turn.
  double turn(std::array<Along, 2>& axis, std::size_t a, double bound, double step, bool& rare) const {
    Along& own = axis[a];
    const Along& other = axis[1 - a];
    const double shift = own.fallen + step;
    const double outside = own.places / bound;
    double words = 0;
    if (std::abs(shift) <= own.window->reach && std::abs(other.fallen) <= other.window->reach)
      words = sum(a, own, outside * (bound - 1), own.end - step, shift, rare) *
              sum(1 - a, other, other.places, other.end, other.fallen, rare);
    own.places = outside;
    own.start += (bound - 1) * step;
    own.fallen -= (bound - 1) * step;
    return words;
  }

  // Over places from own.start to `end`: stored words of a tile that are also in the tile moved by `shift`.
  double sum(std::size_t a, const Along& own, double places, double end, double shift, bool& rare) const {
    const Axis& axis = program_.layer.axis[a];
    if (axis.plain) return 1;
    if (own.joined == nullptr)
      return sum_window(axis, *own.window, places, own.start, end, shift, own.window->least_step, rare);
    double words = 0;
    for (std::size_t i = 0; i < own.joined->starts.parts; ++i) {
      const auto& [offset, count_a, step_a, count_b, step_b] = own.joined->starts.part[i];
      const double first = as_double(offset);
      const double span = as_double((count_a - 1) * step_a + (count_b - 1) * step_b);
      double least_step = own.window->least_step;
      if (count_a > 1) least_step = std::min(least_step, as_double(step_a));
      if (count_b > 1) least_step = std::min(least_step, as_double(step_b));
      words += sum_window(axis, *own.window, places / own.joined->places * as_double(count_a * count_b),
                          own.start + first, end - own.joined->span + first + span, shift, least_step, rare);
    }
    return words;
  }

  static double sum_window(const Axis& axis, const Window& window, double places, double start, double end,
                           double shift, double least_step, bool& rare) {
    if (shift == 0) {
      double words = 0;
      for (std::size_t i = 0; i < window.parts; ++i)
        words += inside(axis, window.part[i], places, start, end, least_step, rare);
      return words;
    }
    Window::Part part = window.part[0];
    if (window.parts > 1 || part.count_b > 1) {
      rare = true;
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
    return inside(axis, part, places, start, end, least_step, rare);
  }

  // Of the words of all places those that are stored.
  static double inside(const Axis& axis, const Window::Part& part, double places, double start, double end,
                       double least_step, bool& rare) {
    double words = places * part.words;
    const double above = -(start + part.offset);
    if (above > 0) words -= outside(part, above, least_step, rare);
    const double below = end + part.offset + part.span + 1 - static_cast<double>(axis.extent);
    if (below > 0) words -= outside(part, below, least_step, rare);
    return words;
  }

  // Words of all places less than `depth` from the outer end of the outermost place.
  static double outside(const Window::Part& part, double depth, double least_step, bool& rare) {
    if (depth == 1) return 1;
    if (depth > least_step || part.count_b > 1) {
      rare = true;
      return 0;
    }
    if (part.count_a == 1) return 1;
    return std::min(part.count_a, part.step_a == 1 ? depth : std::ceil(depth / part.step_a));
  }

  const Program& program_;
  PackState<N>& state_;
  const Mapping& mapping_;
  std::size_t lane_;
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
