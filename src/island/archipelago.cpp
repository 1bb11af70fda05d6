#include "atoll/island/archipelago.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <limits>
#include <utility>

#include "atoll/base/error.hpp"
#include "atoll/base/log.hpp"
#include "atoll/base/table.hpp"
#include "atoll/checkpoint/checkpoint.hpp"
#include "atoll/island/bytes.hpp"
#include "atoll/island/island.hpp"
#include "atoll/island/mailbox.hpp"
#include "atoll/island/recorder.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/writer.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// How often ranks agree. The interval itself is agreed, so it may follow the clock: it decides only where a
/// run can be interrupted, never what it computes.
constexpr double seconds_between_agreements = 0.1;
constexpr std::uint32_t most_steps_between_agreements = 50;

void check_limits(const ArchipelagoSettings& settings, const SearchSpace& space) {
  const auto at_most = [](const char* name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value >= low && value <= high) return;
    throw InputError(fmt::format("{}: must lie between {} and {}, not {}", name, low, high, value));
  };
  at_most("islands.count", settings.islands, 1, 65536);
  at_most("islands.generations", settings.generations, 1, (1U << 22) - 1);
  at_most("tasks of the problem", space.task_count(), 1, 1024);
  if (settings.policies.size() != settings.islands) {
    throw InternalError(
        fmt::format("{} islands were given {} policies", settings.islands, settings.policies.size()));
  }
}

/// Where a run starts or goes on, as rank 0 found it on disk.
struct Start {
  bool finished = false;  // the store is sealed: nothing is left to do
  std::uint64_t batches = 0;
  std::optional<CheckpointSet> from;
};

std::vector<std::uint8_t> pack_start(const Start& start) {
  ByteWriter out;
  out.value(start.finished);
  out.value(start.batches);
  out.value(start.from.has_value());
  if (start.from) {
    out.value(start.from->task);
    out.value(start.from->generation);
    out.value(static_cast<std::uint64_t>(start.from->blobs.size()));
    for (const CheckpointBlob& blob : start.from->blobs) {
      out.text(blob.name);
      out.text(blob.bytes);
    }
  }
  return out.take();
}

Start unpack_start(ByteReader& in) {
  Start start;
  start.finished = in.value<bool>();
  start.batches = in.value<std::uint64_t>();
  if (!in.value<bool>()) return start;
  CheckpointSet& set = start.from.emplace();
  set.task = in.value<std::uint32_t>();
  set.generation = in.value<std::uint32_t>();
  set.blobs.resize(in.value<std::uint64_t>());
  for (CheckpointBlob& blob : set.blobs) {
    blob.name = in.text();
    blob.bytes = in.text();
  }
  return start;
}

/// Thrown by every rank at the same place.
struct AgreedFailure {
  ExitCode code;
  std::string text;
};

[[noreturn]] void throw_by_code(const AgreedFailure& failure) {
  if (failure.code == ExitCode::input) throw InputError(failure.text);
  if (failure.code == ExitCode::machine) throw ResourceError(failure.text);
  throw InternalError(failure.text);
}

/// Rank 0 does something that may fail and gives every rank its result; if it fails, every rank throws that
/// failure, so that bad input ends a job in good order.
std::vector<std::uint8_t> done_by_rank_zero(Communicator& world,
                                            const std::function<std::vector<std::uint8_t>()>& action) {
  ByteWriter out;
  if (world.rank() == 0) {
    try {
      const auto result = action();
      out.value(ExitCode::done);
      out.bytes(result);
    } catch (const Error& error) {
      out.value(error.code());
      out.text(error.what());
    }
  }
  const auto shared = world.broadcast(out.take());
  ByteReader in(shared);
  const auto code = in.value<ExitCode>();
  if (code != ExitCode::done) throw AgreedFailure{code, in.text()};
  return in.bytes();
}

/// The run of all islands as one rank sees it.
class Archipelago {
 public:
  Archipelago(const ArchipelagoSettings& settings, SearchSpace& space, Communicator& world,
              const std::function<bool()>& stop_requested,
              const std::function<void(const Progress&)>& progress)
      : settings_(settings),
        space_(space),
        world_(world),
        stop_requested_(stop_requested),
        progress_(progress),
        tasks_(static_cast<std::uint32_t>(space.task_count())),
        start_time_(Clock::now()),
        last_agreement_(start_time_),
        last_checkpoint_(start_time_),
        last_progress_(start_time_) {}

  ArchipelagoReport run() {
    const Start start = open();
    settle(start);
    report_.finished = start.finished;
    if (!start.finished) {
      log_map();
      if (!start.from) checkpoint();
      report_.finished = work();
    }
    report();
    if (start.finished) report_.acknowledged_batches = report_.synced_batches = start.batches;
    return std::move(report_);
  }

 private:
  // Start.
  Start open();
  Start open_on_rank_zero(std::unique_ptr<StoreWriter>& writer);
  std::optional<CheckpointSet> newest_checkpoint(bool may_be_missing);
  void settle(const Start& start);
  void log_map();
  // The loop.
  bool work();
  bool at_the_end() const { return task_ + 1 == tasks_ && generation_ == settings_.generations; }
  void next_generation();
  bool agree_to_go_on();
  bool checkpoint_at_this_step() const;
  void plan_next_agreement(std::int64_t interval);
  std::int64_t steps_until_agreement() const;
  /// Afterwards no message of this run is under way.
  void take_in_all_messages();
  void checkpoint();
  void end_if_failed();
  // On the side.
  void tend();
  void show_progress();
  void report();

  std::uint64_t total_steps() const { return std::uint64_t{tasks_} * settings_.generations; }
  bool is_writer() const { return world_.rank() == 0; }
  std::string store_path() const { return settings_.folder + "/results.h5"; }
  std::string checkpoint_folder() const { return settings_.folder + "/checkpoints"; }

  const ArchipelagoSettings& settings_;
  SearchSpace& space_;
  Communicator& world_;
  const std::function<bool()>& stop_requested_;
  const std::function<void(const Progress&)>& progress_;
  std::unique_ptr<Mailbox> mailbox_;
  std::unique_ptr<Recorder> recorder_;
  std::vector<Island> islands_;  // of this rank

  // A step is one generation of every island; steps count over all tasks.
  std::uint32_t tasks_ = 0, task_ = 0, generation_ = 0;
  std::uint64_t step_ = 0, first_step_ = 0, next_agreement_ = 0, agreed_step_ = 0;
  Clock::time_point start_time_, last_agreement_, last_checkpoint_, last_progress_;
  ArchipelagoReport report_;
};

Start Archipelago::open_on_rank_zero(std::unique_ptr<StoreWriter>& writer) {
  Start start;
  if (!settings_.resume) {
    writer = StoreWriter::create(store_path(), settings_.layout);
    return start;
  }
  if (!std::filesystem::exists(store_path())) {
    throw InputError(fmt::format("{}: there is no results.h5 to resume; start the run with 'atoll run'",
                                 settings_.folder));
  }
  {
    const auto reader = StoreReader::open(store_path());
    start.finished = reader->summary().sealed;
    start.batches = reader->summary().batches;
  }
  start.from = newest_checkpoint(start.finished);
  if (!start.finished) writer = StoreWriter::reopen(store_path(), settings_.layout);
  return start;
}

std::optional<CheckpointSet> Archipelago::newest_checkpoint(bool may_be_missing) {
  std::vector<std::string> warnings;
  std::optional<CheckpointSet> set;
  try {
    set = read_newest_checkpoint(checkpoint_folder(), settings_.run_key, warnings);
  } catch (const CheckpointError& error) {
    if (!may_be_missing) throw;
    warnings.emplace_back(error.what());
  }
  for (const std::string& warning : warnings) log_warning(warning);
  return set;
}

Start Archipelago::open() {
  std::unique_ptr<StoreWriter> writer;
  const auto shared = done_by_rank_zero(world_, [&] { return pack_start(open_on_rank_zero(writer)); });
  mailbox_ = std::make_unique<Mailbox>(
      world_, make_edges(settings_.migration.topology, settings_.islands, settings_.seed), settings_.islands,
      [this] { tend(); });
  recorder_ = std::make_unique<Recorder>(world_, std::move(writer));
  ByteReader in(shared);
  return unpack_start(in);
}

std::string blob_name(std::uint32_t island) {
  return fmt::format("island {}", island);
}

void Archipelago::settle(const Start& start) {
  const auto ranks = static_cast<std::uint32_t>(world_.size());
  for (std::uint32_t i = 0; i < settings_.islands; ++i) {
    if (rank_of_island(i, settings_.islands, ranks) != static_cast<std::uint32_t>(world_.rank())) continue;
    islands_.emplace_back(i, Island::Surroundings{settings_, space_, *mailbox_, *recorder_});
  }
  task_ = start.from ? start.from->task : 0;
  generation_ = start.from ? start.from->generation : 0;
  first_step_ = step_ = agreed_step_ = std::uint64_t{task_} * settings_.generations + generation_;
  plan_next_agreement(1);
  for (Island& island : islands_) {
    if (!start.from) {
      island.begin(0);
      continue;
    }
    const auto& blobs = start.from->blobs;
    const std::string name = blob_name(island.id());
    const auto found =
        std::find_if(blobs.begin(), blobs.end(), [&](const auto& b) { return b.name == name; });
    if (found == blobs.end())
      throw CheckpointError(fmt::format("the checkpoint has no part called '{}'", name));
    island.load(task_, generation_, found->bytes);
  }
}

void Archipelago::log_map() {
  std::string islands, policies;
  for (const Island& island : islands_) {
    const std::string& policy = settings_.policies[island.id()].name();
    islands += fmt::format("{}{}", islands.empty() ? "" : " ", island.id());
    policies += fmt::format("{}{}", policies.empty() ? "" : " ", policy);
  }
  ByteWriter line;
  for (const std::string& cell : {world_.host(), islands, policies, world_.allowed_processors()})
    line.text(cell);
  const auto lines = world_.gather(line.take());
  if (!is_writer()) return;
  TextTable table({"rank", "host", "islands", "policies", "processors"});
  for (std::size_t rank = 0; rank < lines.size(); ++rank) {
    ByteReader in(lines[rank]);
    std::vector<std::string> cells{std::to_string(rank)};
    for (int cell = 0; cell < 4; ++cell) cells.push_back(in.text());
    recorder_->note(fmt::format("rank {}", rank),
                    fmt::format("host {}, islands {}, processors {}", cells[1], cells[2], cells[4]));
    for (std::string& cell : cells) cell = cell.empty() ? "-" : cell;
    table.add(std::move(cells));
  }
  log_info(fmt::format("{} islands on {} ranks\n{}", settings_.islands, lines.size(), table.text()));
}

bool Archipelago::work() {
  while (true) {
    if (generation_ == settings_.generations && !at_the_end()) {
      ++task_;
      generation_ = 0;
      for (Island& island : islands_) island.begin(task_);
    }
    if (!at_the_end()) next_generation();
    if ((step_ >= next_agreement_ || at_the_end()) && !agree_to_go_on()) break;
  }
  if (!at_the_end()) return false;
  recorder_->seal();
  end_if_failed();
  return true;
}

void Archipelago::next_generation() {
  for (Island& island : islands_) {
    island.generation();
    tend();
  }
  ++generation_;
  ++step_;
}

std::int64_t Archipelago::steps_until_agreement() const {
  const double per_step =
      seconds_since(last_agreement_) / static_cast<double>(std::max<std::uint64_t>(1, step_ - agreed_step_));
  const double steps = seconds_between_agreements / std::max(per_step, 1e-9);
  return static_cast<std::int64_t>(std::clamp(steps, 1.0, double{most_steps_between_agreements}));
}

void Archipelago::plan_next_agreement(std::int64_t interval) {
  const std::uint64_t every = settings_.checkpoint.every_generations;
  next_agreement_ = step_ + static_cast<std::uint64_t>(interval);
  if (every > 0) next_agreement_ = std::min(next_agreement_, (step_ / every + 1) * every);
  if (settings_.stop_after > 0 && step_ < first_step_ + settings_.stop_after) {
    next_agreement_ = std::min(next_agreement_, first_step_ + settings_.stop_after);
  }
  agreed_step_ = step_;
  last_agreement_ = Clock::now();
}

bool Archipelago::agree_to_go_on() {
  const double seconds = seconds_since(start_time_);
  const bool late = settings_.max_seconds > 0 && seconds >= settings_.max_seconds;
  const bool timed = settings_.checkpoint.every_seconds > 0 && is_writer() &&
                     seconds_since(last_checkpoint_) >= settings_.checkpoint.every_seconds;
  const std::array<std::int64_t, 5> mine{stop_requested_ && stop_requested_(), late, timed,
                                         !recorder_->failure().empty(), -steps_until_agreement()};
  const auto agreed = world_.agree_max(mine, [this] { tend(); });
  if (agreed[3] != 0) {
    take_in_all_messages();
    end_if_failed();
  }
  const bool counted = settings_.stop_after > 0 && step_ >= first_step_ + settings_.stop_after;
  const bool stop = agreed[0] != 0 || agreed[1] != 0 || counted || at_the_end();
  const std::uint64_t every = settings_.checkpoint.every_generations;
  if (stop || agreed[2] != 0 || (every > 0 && step_ % every == 0)) checkpoint();
  plan_next_agreement(-agreed[4]);
  if (stop && !at_the_end() && is_writer()) {
    const char* reason = agreed[0] != 0   ? "a signal"
                         : agreed[1] != 0 ? "the time limit"
                                          : "the number of generations";
    log_info(fmt::format("stopped by {} after generation {} of task {}; a checkpoint is written", reason,
                         generation_, task_));
  }
  return !stop;
}

void Archipelago::take_in_all_messages() {
  recorder_->wait_for((step_ - first_step_) * settings_.islands);
  for (Island& island : islands_) island.wait_for_letters();
  recorder_->wait_for_all_credit();
}

void Archipelago::checkpoint() {
  take_in_all_messages();
  ByteWriter mine;
  mine.value(static_cast<std::uint64_t>(islands_.size()));
  for (Island& island : islands_) {
    mine.text(blob_name(island.id()));
    mine.text(island.save());
  }
  const auto parts = world_.gather(mine.take());
  if (is_writer()) {
    CheckpointSet set{.run_key = settings_.run_key, .task = task_, .generation = generation_, .blobs = {}};
    for (const auto& part : parts) {
      ByteReader in(part);
      const auto count = in.value<std::uint64_t>();
      for (std::uint64_t i = 0; i < count; ++i) {
        std::string name = in.text();
        set.blobs.push_back({std::move(name), in.text()});
      }
    }
    recorder_->sync();
    recorder_->guard([&] { write_checkpoint(checkpoint_folder(), set); });
  }
  end_if_failed();
  last_checkpoint_ = Clock::now();
}

void Archipelago::end_if_failed() {
  const std::string& text = recorder_->failure();
  const auto shared = world_.broadcast({text.begin(), text.end()});
  if (!shared.empty()) throw AgreedFailure{ExitCode::machine, {shared.begin(), shared.end()}};
}

void Archipelago::tend() {
  recorder_->tend();
  if (is_writer() && progress_ && seconds_since(last_progress_) >= 0.2) show_progress();
}

void Archipelago::show_progress() {
  last_progress_ = Clock::now();
  const double seconds = seconds_since(start_time_);
  const BatchSummary& best = recorder_->best();
  const auto done = static_cast<double>(step_ - first_step_);
  progress_({.task = task_,
             .tasks = tasks_,
             .generation = generation_,
             .generations = settings_.generations,
             .task_name = space_.task(task_).name,
             .evaluations = recorder_->evaluations(),
             .seconds = seconds,
             .best = best.best,
             .ratio_to_bound = best.ratio_to_bound,
             .seconds_left = done > 0 ? seconds / done * static_cast<double>(total_steps() - step_) : 0});
}

void Archipelago::report() {
  ByteWriter mine;
  double evaluating = 0;
  std::uint64_t edges = 0;
  for (const Island& island : islands_) {
    evaluating += island.seconds_evaluating();
    edges += island.traffic().size();
  }
  mine.value(evaluating);
  mine.value(recorder_->seconds_waiting());
  mine.value(edges);
  for (const Island& island : islands_) mine.items(std::span<const EdgeTraffic>(island.traffic()));
  const auto parts = world_.gather(mine.take());
  for (const auto& part : parts) {
    ByteReader in(part);
    report_.seconds_evaluating = std::max(report_.seconds_evaluating, in.value<double>());
    report_.seconds_waiting_for_store = std::max(report_.seconds_waiting_for_store, in.value<double>());
    const auto first = report_.edges.size();
    report_.edges.resize(first + in.value<std::uint64_t>());
    in.items(std::span(report_.edges).subspan(first));
  }
  report_.evaluations = recorder_->evaluations();
  report_.acknowledged_batches = recorder_->acknowledged_batches();
  report_.synced_batches = recorder_->synced_batches();
  report_.seconds = seconds_since(start_time_);
  if (is_writer() && progress_ && step_ > first_step_) show_progress();
}

}  // namespace

std::uint32_t rank_of_island(std::uint32_t island, std::uint32_t islands, std::uint32_t ranks) {
  return static_cast<std::uint32_t>(std::uint64_t{island} * std::min(ranks, islands) / islands);
}

ArchipelagoReport run_archipelago(const ArchipelagoSettings& settings, SearchSpace& space,
                                  Communicator& world, const std::function<bool()>& stop_requested,
                                  const std::function<void(const Progress&)>& progress) {
  check_limits(settings, space);
  try {
    return Archipelago(settings, space, world, stop_requested, progress).run();
  } catch (const AgreedFailure& failure) {
    throw_by_code(failure);
  } catch (const InternalError&) {
    throw;
  } catch (const Error& error) {
    throw LoneFailure(error.code(), error.what());
  }
}

}  // namespace atl
