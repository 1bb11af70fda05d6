// Progress and warnings go to standard error and to one log file per run; results go to standard output. The
// logger is the one object that is global.
#pragma once

#include <string>

namespace atl {

enum class Verbosity { quiet, normal, verbose };

/// Sets up the logger of this process. `rank` stands in every line when there is more than one rank; only
/// rank 0 writes information to the terminal, all ranks write warnings and errors.
void start_log(Verbosity verbosity, int rank, int ranks);
/// Adds a file (rank 0's log/run.log); ResourceError if it cannot be written.
void add_log_file(const std::string& path);

void log_debug(const std::string& text);
void log_info(const std::string& text);
void log_warning(const std::string& text);
void log_error(const std::string& text);

}  // namespace atl
