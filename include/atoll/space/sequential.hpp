// The search space of plain convolutional networks: a variable list of
// blocks, one record each, between an optional stem and a classifier (global
// average pooling, one fully connected layer). One task: the whole network.
//
//   conv       k x k convolution
//   separable  k x k depthwise convolution, 1 x 1 convolution (Howard et al., arXiv:1704.04861)
//   mbconv     1 x 1 expansion, k x k depthwise, 1 x 1 projection, and the block's input added where the
//              shapes are equal (Sandler et al., CVPR 2018)
//   basic      two k x k convolutions with a shortcut: the block's input, or a 1 x 1 convolution of it
//              where the shapes differ (He et al., CVPR 2016)
//   pool       k x k maximum
//
// Windows are padded to the output size ceil(input / stride). Repair makes every row a network: a stride
// above the map becomes the largest that is not; a kernel above the map likewise; fields that a block does
// not use become 0. Activations and batch norms are folded and cost nothing.
//
// The cost of a network is the sum over its layers: those that multiply by a bounded mapping search, a pure
// function of the layer; the others by their streaming. edp = summed energy * summed cycles.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "atoll/mapper/bounded_search.hpp"
#include "atoll/network/network.hpp"
#include "atoll/space/search_space.hpp"

namespace atl {

enum class BlockKind : std::uint8_t { conv, separable, mbconv, basic, pool };
inline constexpr std::array<std::string_view, 5> block_kind_names = {"conv", "separable", "mbconv", "basic",
                                                                     "pool"};

/// The bounds of the space, from the run file. Lists ascend without repetition.
struct SequentialSettings {
  std::uint32_t batch = 1;
  std::uint32_t input_channels = 3, input_rows = 32, input_columns = 32;
  std::uint32_t classes = 10;
  std::uint32_t stem_channels = 0;  // 0: no stem; else a 3 x 3 convolution before the blocks
  std::uint32_t stem_stride = 1;
  std::uint32_t min_blocks = 2, max_blocks = 12;
  std::vector<BlockKind> operators = {BlockKind::conv, BlockKind::separable, BlockKind::mbconv,
                                      BlockKind::basic, BlockKind::pool};
  std::vector<std::uint32_t> kernels = {1, 3, 5, 7};
  std::vector<std::uint32_t> channels = {8, 16, 24, 32, 48, 64, 96, 128, 192, 256};
  std::vector<std::uint32_t> strides = {1, 2};
  std::vector<std::uint32_t> expansions = {1, 2, 3, 4, 6};
};

struct SequentialBlock {
  BlockKind kind = BlockKind::conv;
  std::uint32_t kernel = 3, channels = 16, stride = 1, expansion = 1;
};

/// The columns of the space; names equal those of the simulators where they mean the same.
namespace sequential_cost {
enum Column : std::size_t {
  cycles,
  energy,
  edp,
  macs,
  parameters,
  peak_activation_bits,  // most bits alive at once: a layer's inputs, outputs and a waiting shortcut
  layers,                // layers that multiply
  bound_cycles,
  bound_energy,  // sums of the layers' lower bounds
  count
};
}  // namespace sequential_cost

class SequentialSpace final : public SearchSpace {
 public:
  /// InputError for settings out of range: empty or unordered lists, kernel or extent 0, strides without 1,
  /// pooling without a kernel above 1, more blocks than 64.
  SequentialSpace(const SequentialSettings& settings, const Accelerator& accelerator,
                  const std::string& simulator, const BoundedSearchSettings& search);

  std::size_t task_count() const override { return 1; }
  TaskInfo task(std::size_t) const override { return {"network", 1, 0}; }
  const GenomeSchema& schema(std::size_t) const override { return schema_; }
  const std::vector<SpaceCostColumn>& cost_columns() const override { return columns_; }
  /// A network with a layer whose tensors the outermost level cannot hold runs nowhere: its violation is the
  /// missing room over the room there is, its cycles, energy and edp are infinite.
  void evaluate(std::size_t t, Population& rows, EvaluationDetail* detail) override;

  std::string to_json(std::size_t t, std::span<const std::int32_t> integers,
                      std::span<const double> reals) const override;
  std::string to_text(std::size_t t, std::span<const std::int32_t> integers,
                      std::span<const double> reals) const override;
  /// STEM.yaml and STEM.onnx, the network; STEM.json and STEM.txt, its blocks.
  void write_individual(std::size_t t, std::span<const std::int32_t> integers, std::span<const double> reals,
                        const std::string& folder, const std::string& stem) const override;

  const SequentialSettings& settings() const { return settings_; }
  /// Makes the row canonical in place.
  void repair(std::span<std::int32_t> integers) const;
  /// The blocks of a row; it need not be repaired.
  std::vector<SequentialBlock> blocks(std::span<const std::int32_t> integers) const;
  Network network(std::span<const std::int32_t> integers) const;
  BoundedSearch& search() { return search_; }

 private:
  SequentialBlock block(std::span<const std::int32_t> integers, std::size_t record) const;
  double missing_room(const Network& network) const;
  void add_layer_costs(std::uint32_t row, const Network& network, std::span<double> costs,
                       EvaluationDetail* detail);

  SequentialSettings settings_;
  GenomeSchema schema_;
  std::vector<SpaceCostColumn> columns_;
  BoundedSearch search_;
  std::set<std::uint64_t> handed_out_;  // keys of mappings already in some EvaluationDetail
};

/// The network of a list of blocks that need no repair, with shapes inferred and every layer's sources named.
Network sequential_network(const SequentialSettings& settings, const std::vector<SequentialBlock>& blocks);
/// Most bits of activations that are alive at once when the layers run in their order.
double most_activation_bits(const Network& network);

}  // namespace atl
