#include "atoll/base/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "atoll/base/error.hpp"

namespace atl {

namespace {

constexpr const char* plain_pattern = "%H:%M:%S %^%l%$ %v";

std::shared_ptr<spdlog::logger> make_logger() {
  auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  auto made = std::make_shared<spdlog::logger>("atoll", terminal);
  made->set_pattern(plain_pattern);
  made->flush_on(spdlog::level::warn);
  return made;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = make_logger();
  return *instance;
}

// A level of the terminal alone: the log file gets everything from info on even under --quiet.
spdlog::level::level_enum terminal_level(Verbosity verbosity, int rank) {
  if (rank > 0 || verbosity == Verbosity::quiet) return spdlog::level::warn;
  return verbosity == Verbosity::verbose ? spdlog::level::debug : spdlog::level::info;
}

std::string pattern_for(int rank, int ranks) {
  return ranks > 1 ? fmt::format("%H:%M:%S rank {} %^%l%$ %v", rank) : plain_pattern;
}

}  // namespace

void start_log(Verbosity verbosity, int rank, int ranks) {
  spdlog::logger& log = logger();
  log.sinks().resize(1);
  log.set_pattern(pattern_for(rank, ranks));
  log.sinks().front()->set_level(terminal_level(verbosity, rank));
  log.set_level(verbosity == Verbosity::verbose ? spdlog::level::debug : spdlog::level::info);
}

void add_log_file(const std::string& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    file->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    logger().sinks().push_back(std::move(file));
    logger().flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& error) {
    throw ResourceError("cannot write the log file '" + path + "': " + error.what());
  }
}

void log_debug(const std::string& text) {
  logger().debug("{}", text);
}
void log_info(const std::string& text) {
  logger().info("{}", text);
}
void log_warning(const std::string& text) {
  logger().warn("{}", text);
}
void log_error(const std::string& text) {
  logger().error("{}", text);
}

}  // namespace atl
