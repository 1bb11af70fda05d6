// SIGTERM, SIGINT and SIGUSR1 ask the run to end with a checkpoint at the next agreed generation. The same
// signal again, two seconds later or more, ends the process at once: what is committed stays readable.
// (Launchers tend to deliver one signal twice in quick succession.)
#pragma once

namespace atl {

void install_stop_signals();
/// Whether one of the signals came to this process.
bool stop_requested();
/// "SIGTERM" and the like; empty if none came.
const char* stop_signal_name();

}  // namespace atl
