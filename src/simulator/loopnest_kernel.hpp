// The steps of counting a pack. Included by the one source of each kind of machine, between pragmas that let
// the compiler use its registers; each has an N of its own, so that no machine meets instructions of another.
#pragma once

#include "loopnest_lanes.hpp"

namespace atl::loopnest {

template <int N>
class Kernel {
 public:
  using Real = typename Lanes<N>::Real;
  using Bits = typename Lanes<N>::Bits;
  using Extent = typename Lanes<N>::Extent;
  using ExtentMask = typename Lanes<N>::ExtentMask;
  using State = PackState<N>;
  using Hardware = PackHardware<N>;

  /// Reads the mappings. Bits of the rows whose tiles do not all divide: these must not be counted further.
  static std::uint32_t read(const Program& program, State& s) {
    Extent entering[dim_count];
    for (const std::size_t d : program.turning) {
      entering[d] = Extent{} + static_cast<typename Lanes<N>::Short>(program.layer.layer.size[d]);
      to_real<N>(entering[d], s.tile[0][d]);
    }
    ExtentMask rest{};
    Real steps = Real{} + 1.0, across = steps, instances = steps;
    for (std::size_t o = 0; o < operand_count; ++o) s.residencies[o][0] = steps;
    const std::size_t levels = program.structure.levels;
    for (std::size_t l = 0; l < levels; ++l) {
      s.steps[l] = steps;
      s.across[l] = across;
      s.instances[l] = instances;
      Extent handed[dim_count];
      read_extents(program, s,
                   offsetof(Mapping, level) + l * sizeof(LevelMapping) + offsetof(LevelMapping, temporal),
                   handed);
      for (const std::size_t d : program.turning) divide(entering[d], handed[d], s.turns[l][d], rest);
      if (l < program.ordered) order(program, s, l);
      for (const std::size_t d : program.turning) steps *= s.turns[l][d];
      for (const std::size_t d : program.across) across *= s.turns[l][d];
      if (program.structure.has_fanout[l]) {
        spread(program, s, l, handed, entering, rest);
        instances *= s.children[l];
      } else {
        for (const std::size_t d : program.turning) entering[d] = handed[d];
      }
      for (const std::size_t d : program.turning) to_real<N>(entering[d], s.tile[l + 1][d]);
    }
    s.steps[levels] = steps;
    s.across[levels] = across;
    s.instances[levels] = instances;
    std::uint32_t rows = 0;
    for (std::size_t lane = 0; lane < N; ++lane) rows |= (rest[lane] != 0 ? 1U : 0U) << lane;
    return rows;
  }

  /// Counts rows that have been read and writes their costs.
  static void count(const Program& program, const Hardware& hardware, State& s, Real* columns) {
    const std::size_t levels = program.structure.levels;
    s.network_energy = s.fill_time = Real{};
    for (std::size_t l = 0; l < levels; ++l) {
      s.load_writing[l] = s.load_reading[l] = Real{};
      for (std::size_t o = 0; o < operand_count; ++o)
        s.reads[l][o] = s.fills[l][o] = s.updates[l][o] = s.first_fills[l][o] = Real{};
    }
    if (program.layer.has[index(Operand::W)]) move_plain(program, hardware, s, Operand::W);
    if (program.slides)
      move_sliding(program, hardware, s);
    else
      move_plain(program, hardware, s, Operand::I);
    move_outputs(program, hardware, s);
    report(program, hardware, s, columns);
    store_rows<N>(columns, program.structure.schema.width(), s.costs.data());
  }

 private:
  static void read_extents(const Program& program, const State& s, std::size_t offset, Extent* to) {
    const std::uint32_t* row[N];
    for (std::size_t lane = 0; lane < N; ++lane)
      row[lane] = reinterpret_cast<const std::uint32_t*>(
          reinterpret_cast<const unsigned char*>(s.mapping[lane]) + offset);
    if (program.halves[0]) load_extents<N>(row, 0, to);
    if (program.halves[1]) load_extents<N>(row, 4, to + 0);
  }

  static void divide(const Extent& outer, const Extent& inner, Real& bound, ExtentMask& rest) {
    const Extent quotient = outer / inner;
    note_rest<N>(quotient, rest);
    to_real<N>(quotient, bound);
  }

  // Loops in space below level l; afterwards `entering` is what enters level l + 1.
  static void spread(const Program& program, State& s, std::size_t l, const Extent* handed, Extent* entering,
                     ExtentMask& rest) {
    const std::size_t level = offsetof(Mapping, level) + l * sizeof(LevelMapping);
    const Fanout& fanout = program.structure.fanout[l];
    read_extents(program, s, level + offsetof(LevelMapping, x), entering);
    if (fanout.y > 1 && fanout.x > 1) {
      Extent middle[dim_count];
      read_extents(program, s, level + offsetof(LevelMapping, y), middle);
      for (const std::size_t d : program.turning) {
        note_rest<N>(handed[d] / middle[d], rest);
        note_rest<N>(middle[d] / entering[d], rest);
      }
    }
    Real children = Real{} + 1.0;
    for (const std::size_t d : program.turning) {
      divide(handed[d], entering[d], s.space[l][d], rest);
      children *= s.space[l][d];
    }
    s.children[l] = children;
  }

  // How often tiles within level l are replaced: all loops in time up to the innermost one that gives
  // other words, seen from the level inside.
  static void order(const Program& program, State& s, std::size_t l) {
    Bits orders;
    const unsigned char* row[N];
    for (std::size_t lane = 0; lane < N; ++lane) row[lane] = s.mapping[lane]->level[l].order.data();
    load_orders<N>(row, orders);
    const Real one = Real{} + 1.0;
    Real place[dim_count], turning[dim_count], all = Real{};
    for (const std::size_t d : program.turning) {
      place_bit<N>(orders, d, place[d]);
      turning[d] = s.turns[l][d] > one ? place[d] : Real{};
      all += turning[d];
    }
    s.turning[l] = all;
    for (std::size_t o = 0; o < operand_count; ++o) {
      if (l >= program.chain[o].deepest) continue;
      Real innermost{};
      for (const std::size_t d : program.apart[o])
        innermost = turning[d] > innermost ? turning[d] : innermost;
      if (o == index(Operand::I)) s.innermost[l] = innermost;
      if (o == index(Operand::I) && program.slides) continue;
      Real words = innermost > Real{} ? s.steps[l] : s.residencies[o][l];
      for (const std::size_t d : program.turning) words *= place[d] <= innermost ? s.turns[l][d] : one;
      s.residencies[o][l + 1] = words;
    }
  }

  static void multiply(Real& result, const typename State::PerDim& values, const DimList& dims) {
    for (const std::size_t d : dims) result *= values[d];
  }

  static const Real& replaced(const Program& program, const State& s, Edge edge, std::size_t o) {
    return edge.child == program.structure.levels ? s.steps[edge.child] : s.residencies[o][edge.child];
  }

  // Children below a fan-out that are served one by one.
  static void serve(const State& s, std::size_t l, const DimList& relevant, bool joins, Real& apart) {
    if (joins)
      multiply(apart, s.space[l], relevant);
    else
      apart *= s.children[l];
  }

  using Sent = typename State::Sent;

  static void move_plain(const Program& program, const Hardware& hardware, State& s, Operand operand) {
    const std::size_t o = index(operand);
    const Chain& chain = program.chain[o];
    for (std::size_t i = 0; i < chain.size; ++i) {
      const Edge edge = chain.link[i];
      Real apart = Real{} + 1.0;
      for (std::size_t l = edge.parent; l < edge.child; ++l)
        if (program.structure.has_fanout[l])
          serve(s, l, program.apart[o], Rules::joins_reads(program.structure.fanout[l]), apart);
      Real tile = Real{} + 1.0;
      multiply(tile, s.tile[edge.child], program.apart[o]);
      const Real each = tile * replaced(program, s, edge, o);
      arrive(program, hardware, s, edge, o,
             {each * s.instances[edge.child], each * apart * s.instances[edge.parent],
              tile * s.instances[edge.child], tile, apart});
    }
  }

  static void arrive(const Program& program, const Hardware& hardware, State& s, Edge edge, std::size_t o,
                     const Sent& words) {
    s.reads[edge.parent][o] += words.sent;
    cross(program, hardware, s, edge, o, words.delivered);
    if (edge.child == program.structure.levels) return;
    s.fills[edge.child][o] = words.delivered;
    s.first_fills[edge.child][o] = words.first;
    const Real tile_bits = words.tile * hardware.word_bits[edge.child][o];
    const Real parent_bits = words.tile * words.apart * hardware.word_bits[edge.parent][o];
    s.load_writing[edge.child] += tile_bits / hardware.write_bandwidth[edge.child];
    s.load_reading[edge.child] += parent_bits / hardware.read_bandwidth[edge.parent];
  }

  static void cross(const Program& program, const Hardware& hardware, State& s, Edge edge, std::size_t o,
                    const Real& words) {
    for (std::size_t f = edge.parent; f < edge.child; ++f)
      if (program.structure.has_fanout[f])
        s.network_energy += hardware.hop_energy[f] * hardware.word_bits[edge.parent][o] * words;
  }

  // Everything of a sliding input's links that does not need its windows.
  struct Around {
    Real fixed, before, below, apart;  // tile; children across above the parent, below it, served one by one
  };

  static void look_around(const Program& program, State& s, std::size_t link, Around& around) {
    const Edge edge = program.chain[index(Operand::I)].link[link];
    const Real one = Real{} + 1.0;
    around = {one, one, one, one};
    multiply(around.fixed, s.tile[edge.child], program.apart[index(Operand::I)]);
    s.starts[link] = one;
    for (std::size_t a = 0; a < 2; ++a) s.joined_rows[a][link] = s.joined_taps[a][link] = one;
    for (std::size_t l = 0; l < edge.child; ++l) {
      if (!program.structure.has_fanout[l]) continue;
      if (l < edge.parent) {
        multiply(around.before, s.space[l], program.across);
        continue;
      }
      const bool joins = Rules::joins_reads(program.structure.fanout[l]);
      multiply(around.below, s.space[l], program.across);
      multiply(around.apart, s.space[l], joins ? program.apart[index(Operand::I)] : program.across);
      multiply(s.starts[link], s.space[l], program.along);
      if (!joins || !Rules::diagonals_join()) continue;
      for (std::size_t a = 0; a < 2; ++a) {
        const Axis& axis = program.layer.axis[a];
        if (program.layer.layer.size[axis.row_dim] > 1) s.joined_rows[a][link] *= s.space[l][axis.row_dim];
        if (program.layer.layer.size[axis.tap_dim] > 1) s.joined_taps[a][link] *= s.space[l][axis.tap_dim];
      }
    }
  }

  static void move_sliding(const Program& program, const Hardware& hardware, State& s) {
    constexpr std::size_t o = index(Operand::I);
    const Chain& chain = program.chain[o];
    Around around[max_levels];
    for (std::size_t i = 0; i < chain.size; ++i) look_around(program, s, i, around[i]);
    const std::uint32_t general = count_sliding<N>(program, s);
    for (std::size_t i = 0; i < chain.size; ++i) {
      const Edge edge = chain.link[i];
      const Around& here = around[i];
      s.words[i].delivered = here.fixed * s.moved[i] * (here.before * here.below);
      s.words[i].sent = here.fixed * s.joined[i] * (here.apart * here.before);
      s.words[i].first = Real{};
      s.words[i].tile = here.fixed * s.window[i];
      s.words[i].apart = here.apart * s.starts[i];
      if (edge.child == program.structure.levels) s.words[i].tile = s.words[i].apart = Real{};
    }
    if (general != 0) count_in_general<N>(program, s, general);
    for (std::size_t i = 0; i < chain.size; ++i) arrive(program, hardware, s, chain.link[i], o, s.words[i]);
  }

  static void move_outputs(const Program& program, const Hardware& hardware, State& s) {
    constexpr std::size_t o = index(Operand::O);
    const Chain& chain = program.chain[o];
    Real parent_words = Real{} + as_double(program.layer.outputs);
    for (std::size_t i = 0; i < chain.size; ++i) {
      const Edge edge = chain.link[i];
      Real apart = Real{} + 1.0, unlike = apart;
      for (std::size_t l = edge.parent; l < edge.child; ++l) {
        if (!program.structure.has_fanout[l]) continue;
        multiply(unlike, s.space[l], program.apart[o]);
        serve(s, l, program.apart[o], Rules::joins_updates(program.structure.fanout[l]), apart);
      }
      Real tile = Real{} + 1.0;
      multiply(tile, s.tile[edge.child], program.apart[o]);
      const Real each = tile * replaced(program, s, edge, o);
      const Real drained = each * s.instances[edge.child];
      const Real updates = each * apart * s.instances[edge.parent];
      const Real groups = each * unlike * s.instances[edge.parent];
      const Real returned = groups - parent_words + s.fills[edge.parent][o];
      parent_words = drained;
      s.updates[edge.parent][o] += updates;
      s.reads[edge.parent][o] += returned + (updates - groups);
      cross(program, hardware, s, edge, o, returned + drained);
      if (edge.child == program.structure.levels) continue;
      s.fills[edge.child][o] = returned;
      s.reads[edge.child][o] += drained;
      const Real tile_bits = tile * hardware.word_bits[edge.child][o];
      const Real parent_bits = tile * apart * hardware.word_bits[edge.parent][o];
      add_slower(parent_bits / hardware.write_bandwidth[edge.parent],
                 tile_bits / hardware.read_bandwidth[edge.child], s.fill_time);
    }
  }

  static void add_slower(const Real& a, const Real& b, Real& time) {
    Real slower = a < b ? b : a;
    round_up<N>(slower);
    time += slower;
  }

  static void report(const Program& program, const Hardware& hardware, State& s, Real* columns) {
    const Structure& structure = program.structure;
    const Real macs = program.layer.macs * hardware.compute_energy;
    Real energy = macs + s.network_energy;
    Real leakage{}, binds{};
    Real steady = s.steps[structure.levels];
    for (std::size_t l = 0; l < structure.levels; ++l) {
      Real read, written, stalled;
      report_level(program, hardware, s, l, columns, energy, read, written, stalled);
      leakage += hardware.leakage[l] * structure.built[l];
      const Real reads = structure.shared_port[l] ? read + written : read;
      const auto port = 1 + 2 * static_cast<double>(l);
      take_slower(reads / (s.instances[l] * hardware.read_bandwidth[l]), port, steady, binds);
      const Real write_room = s.instances[l] * hardware.write_bandwidth[l];
      if (!structure.shared_port[l]) take_slower(written / write_room, port + 1, steady, binds);
      if (l == 0) continue;
      add_slower(s.load_writing[l], s.load_reading[l], s.fill_time);
      if (Rules::stalls(structure.buffering[l])) {
        Real stall = stalled / write_room;
        round_up<N>(stall);
        s.fill_time += stall;
      }
    }
    const Real alone = s.steps[structure.levels] + s.fill_time;
    const Real cycles = steady < alone ? alone : steady;
    columns[cost::leakage_energy] = leakage * cycles;
    columns[cost::energy] = energy + columns[cost::leakage_energy];
    columns[cost::cycles] = cycles;
    columns[cost::cycles_steady] = steady;
    columns[cost::edp] = columns[cost::energy] * cycles;
    columns[cost::area] = hardware.area;
    columns[cost::power] = columns[cost::energy] * 1e-9 * hardware.clock / cycles;
    columns[cost::utilisation] = program.layer.operations / (structure.units * cycles);
    columns[cost::compute_energy] = macs;
    columns[cost::network_energy] = s.network_energy;
    columns[cost::binds] = binds;
    columns[cost::bound_cycles] = hardware.bound_cycles;
    columns[cost::bound_energy] = hardware.bound_energy;
  }

  static void report_level(const Program& program, const Hardware& hardware, const State& s, std::size_t l,
                           Real* columns, Real& energy, Real& read, Real& written, Real& stalled) {
    read = written = stalled = Real{};
    for (std::size_t o = 0; o < operand_count; ++o) {
      const Real& width = hardware.word_bits[l][o];
      const Real& fills = s.fills[l][o];
      const Real read_bits = s.reads[l][o] * width;
      const Real written_bits = (fills + s.updates[l][o]) * width;
      const Real spent = read_bits * hardware.read_energy[l] + written_bits * hardware.write_energy[l];
      const std::size_t column = program.structure.schema.first_column[l][o];
      if (column == CostSchema::npos) continue;
      read += read_bits;
      written += written_bits;
      stalled += (fills - s.first_fills[l][o]) * width;
      energy += spent;
      columns[column] = s.reads[l][o];
      columns[column + 1] = fills;
      columns[column + 2] = s.updates[l][o];
      columns[column + 3] = spent;
    }
  }

  static void take_slower(const Real& port_cycles, double port, Real& steady, Real& binds) {
    Real cycles = port_cycles;
    round_up<N>(cycles);
    binds = cycles > steady ? Real{} + port : binds;
    steady = cycles > steady ? cycles : steady;
  }
};

}  // namespace atl::loopnest
