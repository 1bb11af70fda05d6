#include "atoll/evolution/policy_state.hpp"

#include <boost/archive/archive_exception.hpp>
#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <exception>
#include <istream>
#include <ostream>

#include "atoll/base/error.hpp"
#include "atoll/evolution/population_archive.hpp"

namespace atl {

void save_policy_state(std::ostream& out, const Population& population, const std::vector<double>& numbers) {
  boost::archive::binary_oarchive archive(out);
  archive << population << numbers;
}

void load_policy_state(std::istream& in, Population& population, std::vector<double>& numbers) {
  Population loaded;
  std::vector<double> loaded_numbers;
  try {
    boost::archive::binary_iarchive archive(in);
    archive >> loaded >> loaded_numbers;
  } catch (const std::exception& error) {
    throw CheckpointError(std::string("the saved state of a policy cannot be read (") + error.what() +
                          "); resume from an older checkpoint");
  }
  bool fits = loaded.integer_width() == population.integer_width() &&
              loaded.real_width() == population.real_width() &&
              loaded.cost_width() == population.cost_width() &&
              loaded.extra.size() == population.extra.size() && loaded_numbers.size() == numbers.size();
  for (std::size_t c = 0; fits && c < loaded.extra.size(); ++c)
    fits = loaded.extra[c].name == population.extra[c].name &&
           loaded.extra[c].width == population.extra[c].width;
  if (!fits)
    throw CheckpointError(
        "the saved state of a policy belongs to another genome, cost schema or policy; resume with the run "
        "file the run was started with");
  population = std::move(loaded);
  numbers = std::move(loaded_numbers);
}

}  // namespace atl
