// The genome of a mapping, and how every genome becomes a legal mapping without a rejection loop. Tile sizes
// are divisors. The layout is common to all layers of a run (only the ranges of genes differ), so that one
// store and one checkpoint serve all tasks; dimensions that have extent 1 in every layer have no genes.
//
// Genes, for the storage levels l = 0 .. L-1 from the outermost:
//   tile      per level but the innermost and dimension: index into the divisors of the layer's dimension.
//             The divisor is the product of all *temporal* loops of that dimension further in: the tile that
//             level l hands inwards, as seen by one unit. A child's divisor divides its parent's.
//   order     per level but the innermost and dimension: a key; smaller keys stand further out. (Nothing
//             depends on the order of the innermost level's loops.)
//   keep      per level and operand that may be kept or bypassed: a bit.
//   parallel  records {slot, dim, factor}: one loop along one axis of one fan-out; factor is an index like
//             a tile's.
//
// Spatial factors are taken out of a dimension first and the rest is tiled in time. So adding or removing a
// level of parallelism never breaks the tiles' divisibility, and no tile can starve a fan-out.
//
// Repair, in this order; each step is a stated rule, none draws random numbers:
//   1. records in their order: the factor becomes the largest divisor of what is left of the dimension that
//      is not above the wish and fits the axis; records of equal slot and dimension join in the first;
//      records with factor 1 vanish;
//   2. where a level cannot hold even the tile that the fan-outs below it need at once: optional operands
//      are bypassed if one word of each does not fit, then the last record below that level shrinks;
//   3. from the outermost level inwards: each tile becomes the largest divisor of its parent not above the
//      wish; while the level further in does not hold the tile, the tile's largest extent (the outer of
//      equals, in the order of the dimensions) among those that occupy room shrinks to the next divisor;
//   4. order keys become evenly spaced ranks, so that equal permutations are equal genes.
// The canonical genes are written back; repairing them again changes nothing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/evolution/genome.hpp"
#include "atoll/mapper/divisors.hpp"
#include "atoll/network/layer.hpp"
#include "atoll/simulator/mapping.hpp"

namespace atl {

/// One axis of one fan-out: where a level of parallelism may stand.
struct ParallelSlot {
  std::size_t level = 0;  // the fan-out below this level
  bool along_x = false;
  std::uint32_t capacity = 1;
};

/// An operand that a mapping may keep at or bypass around a level.
struct KeepChoice {
  std::size_t level = 0;
  Operand operand = Operand::W;
};

/// Where the genes of a run stand.
class MappingLayout {
 public:
  MappingLayout(std::span<const Layer> layers, const Accelerator& accelerator);

  std::size_t levels() const { return levels_; }
  const std::vector<Dim>& dims() const { return dims_; }
  const std::vector<ParallelSlot>& slots() const { return slots_; }
  const std::vector<KeepChoice>& keeps() const { return keeps_; }

  std::size_t tile(std::size_t level, std::size_t d) const { return level * dims_.size() + d; }
  std::size_t order(std::size_t level, std::size_t d) const {
    return (levels_ - 1 + level) * dims_.size() + d;
  }
  std::size_t keep(std::size_t choice) const { return 2 * (levels_ - 1) * dims_.size() + choice; }
  /// First gene of the record block; there is none if the accelerator has no fan-out.
  std::size_t parallel() const { return keep(keeps_.size()); }
  std::size_t max_records() const { return max_records_; }

  /// The schema with the ranges of one layer.
  GenomeSchema schema(const Layer& layer, const Accelerator& accelerator) const;

 private:
  std::size_t levels_ = 0;
  std::vector<Dim> dims_;
  std::vector<ParallelSlot> slots_;
  std::vector<KeepChoice> keeps_;
  std::size_t max_records_ = 0;  // enough for every legal mapping
};

/// Fields of a record, in the order of the genes.
enum class ParallelField : std::size_t { slot, dim, factor, count };
inline constexpr std::int32_t highest_order_key = 255;

/// Bits that the outermost level has too few to hold all tensors of a layer at once; 0 if they fit.
double lacking_bits(const Layer& layer, const Accelerator& accelerator);

/// All mappings (with tiles that divide) of one layer on one accelerator.
class LayerMappingSpace {
 public:
  /// InputError if a level cannot hold one word of each operand
  /// it must keep, or the outermost level not the tensors.
  LayerMappingSpace(const MappingLayout& layout, const Layer& layer, const Accelerator& accelerator);

  const Layer& layer() const { return layer_; }
  const MappingLayout& layout() const { return layout_; }
  const GenomeSchema& schema() const { return schema_; }
  /// What the tile and factor genes of a place of the layout index.
  const DivisorTable& divisors(std::size_t d) const { return divisors_[d]; }

  /// Makes the row legal and canonical in place and decodes it. Pure, no allocation; levels beyond the
  /// accelerator's are left as they are in `mapping`.
  void repair(std::span<std::int32_t> genes, Mapping& mapping) const;

  /// The canonical genes of a legal mapping (InputError with the reason if it
  /// is not, or if a tile does not divide); decoding gives the same loops,
  /// apart from the order of loops with one step and of the innermost level.
  void encode(const Mapping& mapping, std::span<std::int32_t> genes) const;

 private:
  struct Parts;
  struct Shrinking;
  void make_windows();
  void prepare_orders();
  void require_room() const;
  void read_keeps(std::span<std::int32_t> genes, Parts& parts) const;
  void read_records(std::span<std::int32_t> genes, Parts& parts) const;
  void add_record(Parts& parts, std::size_t source, std::uint8_t slot, std::uint8_t dim,
                  DivisorIndex factor) const;
  void spread_inner(Parts& parts) const;
  void fit_records(Parts& parts) const;
  void write_records(std::span<std::int32_t> genes, const Parts& parts) const;
  void read_tiles(std::span<std::int32_t> genes, Parts& parts) const;
  void fit_tile(std::size_t level, std::span<const DivisorIndex> parent, Parts& parts) const;
  void read_orders(std::span<std::int32_t> genes, Mapping& mapping) const;
  void write_mapping(const Parts& parts, Mapping& mapping) const;
  void encode_records(const Mapping& mapping, std::span<std::int32_t> genes) const;
  double footprint(std::size_t level, OperandSet keep, std::span<const DivisorIndex> extents) const;
  double window_words(std::size_t axis, std::span<const DivisorIndex> extents) const;
  Shrinking start_shrinking(std::size_t level, const Parts& parts) const;
  void shrink(Shrinking& tile, std::size_t place, DivisorIndex extent) const;

  MappingLayout layout_;
  Layer layer_;
  Accelerator accelerator_;
  GenomeSchema schema_;
  RecordBlock block_;
  std::array<std::uint8_t, dim_count> dim_{};          // the layout's dimensions as indices of Dim
  std::array<DivisorTable, dim_count> divisors_;       // by place in the layout
  std::vector<std::uint8_t> varying_, fixed_;          // places of the layout with extent above 1, and with 1
  std::array<std::int32_t, dim_count> spaced_keys_{};  // canonical order keys by rank
  std::array<std::uint8_t, dim_count> last_order_{};   // where dimensions with extent 1 stand
  // Words of a tile: per operand the product over the places that name it, and for the input rows and columns
  // of the sliding window as tables over (P, R) and (Q, S).
  std::array<OperandSet, dim_count> linear_{};
  std::array<std::vector<double>, 2> window_;
  std::array<std::size_t, 2> window_row_{};
  // Places of P, Q and of R, S; dim_count: not in the layout.
  std::array<std::size_t, 2> outer_place_{}, inner_place_{};
  // Room of one word, with double buffering.
  std::array<std::array<double, operand_count>, max_levels> bits_{};
  std::array<double, max_levels> room_{};           // bits
  std::array<std::uint8_t, dim_count> occupies_{};  // operands that depend on a place, as a set
  OperandSet present_ = 0;
};

}  // namespace atl
