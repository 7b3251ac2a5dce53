#include "train/trainer.h"

#include <c10/util/Exception.h>

#include <chrono>
#include <new>
#include <optional>

#include "base/fail.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/batch.h"
#include "train/descent.h"
#include "train/kept_state.h"
#include "train/moving_tensors.h"

namespace octet {
namespace {

using TrainingClock = std::chrono::steady_clock;

double seconds_since(TrainingClock::time_point start) {
  return std::chrono::duration<double>(TrainingClock::now() - start).count();
}

/// Goes through the epochs, keeps the best one, and checkpoints.
class Trainer {
 public:
  Trainer(const Trainee& trainee, const TrainingImages& images, const TrainSettings& settings,
          uint64_t seed, const Checkpoints& checkpoints, const ProgressSink& progress)
      : trainee_(trainee),
        images_(images),
        settings_(settings),
        seed_(seed),
        checkpoints_(checkpoints),
        progress_(progress),
        batches_((std::ssize(images.train) + settings.batch - 1) / settings.batch),
        tensors_(moving_tensors(trainee.graph, trainee.executor, trainee.grids)) {
    if (settings.epochs == 0) return;
    if (images.train.empty()) fail(Code::Data, "{}: there are no training images", trainee.name);
    descent_.emplace(trainee, settings, seed, batches_);
  }

  TrainingResult run() {
    if (checkpoints_.resume) {
      restore(*checkpoints_.resume);
    } else if (trainee_.keep_start || settings_.epochs == 0) {
      consider(0, 0);
    }
    while (!state_.finished && state_.epoch < settings_.epochs) {
      const int64_t number = state_.epoch + 1;
      const double loss = learn(number);
      consider(number, loss);
      state_.epoch = number;
      state_.batches = 0;
      state_.loss = 0;
      state_.finished = number == settings_.epochs || out_of_patience();
      keep();
    }
    put(best_, tensors_);
    return {state_.epochs, state_.best};
  }

 private:
  /// A state as it would be kept, validated.
  void consider(int64_t number, double loss) {
    const NamedTensors present = copy_of(tensors_);
    put(descent_ ? descent_->candidate() : tensors_, tensors_);
    if (trainee_.settle) trainee_.settle();
    const Epoch epoch{number, loss, validate(number)};
    const Epoch* best = state_.best_epoch();
    const bool better = !best || epoch.validation > best->validation;
    state_.epochs.push_back(epoch);
    if (better) {
      state_.best = epoch.number;
      best_ = copy_of(tensors_);
    }
    put(present, tensors_);
  }

  bool out_of_patience() const {
    return settings_.patience > 0 && state_.epoch - state_.best >= settings_.patience;
  }

  /// Per cent right; without validation images, later epochs count as better.
  double validate(int64_t number) {
    if (!trainee_.validate) return static_cast<double>(number);
    const auto count = std::ssize(images_.validation);
    Step step(progress_,
              std::format("{} {}/{}: validation", trainee_.name, number, settings_.epochs), count,
              "images");
    const double right = trainee_.validate();
    step.advance(count, std::format("top-1 {:.2f} %", right));
    return right;
  }

  BatchReader reader_of(int64_t number) const {
    std::vector<int64_t> order(images_.train.size());
    const auto shuffled =
        permutation(std::ssize(order), seed_ + static_cast<uint64_t>(number) * 1000003);
    for (size_t i = 0; i < order.size(); ++i) {
      order[i] = images_.train[static_cast<size_t>(shuffled[i])];
    }
    return {images_.dataset,
            std::move(order),
            {.size = settings_.batch,
             .augment = {.flip = settings_.flip, .crop = settings_.crop},
             .seed = seed_ * 7919 + static_cast<uint64_t>(number),
             .first = state_.batches,
             .labels = settings_.teacher.weight < 1}};
  }

  /// What is left of one pass over the training images; the mean loss of all of it.
  double learn(int64_t number) {
    BatchReader reader = reader_of(number);
    Step step(progress_, std::format("{} {}/{}", trainee_.name, number, settings_.epochs),
              std::ssize(images_.train) - state_.batches * settings_.batch, "images");
    const auto start = TrainingClock::now();
    double waited = 0;
    double sum = state_.loss;
    int64_t done = state_.batches;
    for (Batch batch; done < batches_;) {
      const auto asked = TrainingClock::now();
      if (!reader.next(batch)) break;
      waited += seconds_since(asked);
      const int64_t place = (number - 1) * batches_ + done;
      const auto loss = descent_->learn_from(batch, place);
      if (!loss) blew_up(loss.error(), number, done / settings_.accumulate + 1);
      sum += *loss;
      ++done;
      const bool resumable = descent_->steps_after(place) && done < batches_;
      if (resumable) {
        state_.batches = done;
        state_.loss = sum;
        if (seconds_since(kept_) >= 60 * settings_.checkpoint_minutes) keep();
      }
      const std::string note =
          std::format("loss {:.3f}, data {:.0f} %", sum / static_cast<double>(done),
                      100 * waited / std::max(1e-9, seconds_since(start)));
      try {
        step.advance(batch.count, note);
      } catch (...) {  // whoever looks at the progress wants it to end
        if (resumable) keep();
        throw;
      }
    }
    return sum / static_cast<double>(batches_);
  }

  [[noreturn]] void blew_up(const std::string& what, int64_t number, int64_t step) {
    std::string best;
    if (const Epoch* epoch = state_.best_epoch(); epoch && checkpoints_.keep) {
      state_.finished = true;
      keep();
      best = std::format(
          ", or finish with the best epoch so far ({}: {:.2f} %), which {} holds, by --resume",
          epoch->number, epoch->validation, checkpoints_.place);
    }
    fail(Code::Numeric, "{}: {} in epoch {}, step {}; try a rate below {}{}", trainee_.name, what,
         number, step, settings_.rate, best);
  }

  void keep() {
    if (!checkpoints_.keep) return;
    Checkpoint checkpoint = state_;
    checkpoint.tensors = trainee_.kept;
    if (state_.best_epoch()) keep_tensors("best/", best_, checkpoint);
    if (!state_.finished) descent_->keep(checkpoint);
    checkpoints_.keep(checkpoint);
    kept_ = TrainingClock::now();
  }

  void restore(const Checkpoint& from) {
    state_ = from;
    state_.tensors.clear();
    if (state_.best_epoch()) {
      best_ = copy_of(tensors_);
      restore_tensors("best/", from, best_, checkpoints_.place);
    }
    if (!state_.finished && descent_) descent_->restore(from, checkpoints_.place);
  }

  const Trainee& trainee_;
  const TrainingImages& images_;
  const TrainSettings& settings_;
  uint64_t seed_;
  const Checkpoints& checkpoints_;
  const ProgressSink& progress_;
  int64_t batches_;  ///< in an epoch
  NamedTensors tensors_;
  NamedTensors best_;
  std::optional<Descent> descent_;  ///< none where nothing is to be learnt
  Checkpoint state_;                ///< but for its tensors
  TrainingClock::time_point kept_ = TrainingClock::now();
};

[[noreturn]] void fail_of_memory(const Trainee& trainee, const TrainSettings& settings) {
  if (settings.batch == 1) {
    fail(Code::Runtime, "{}: the memory of this machine is used up, by single images",
         trainee.name);
  }
  fail(Code::Runtime,
       "{}: the memory of this machine is used up, in batches of {} images; try 'batch: {}' with "
       "'accumulate: {}'",
       trainee.name, settings.batch, settings.batch / 2, settings.accumulate * 2);
}

bool tells_of_memory(std::string_view message) {
  return message.contains("can't allocate memory") || message.contains("bad_alloc");
}

}  // namespace

TrainingResult run_training(const Trainee& trainee, const TrainingImages& images,
                            const TrainSettings& settings, uint64_t seed,
                            const Checkpoints& checkpoints, const ProgressSink& progress) {
  try {
    return Trainer(trainee, images, settings, seed, checkpoints, progress).run();
  } catch (const Error& error) {
    if (tells_of_memory(error.what())) fail_of_memory(trainee, settings);
    throw;
  } catch (const std::bad_alloc&) {
    fail_of_memory(trainee, settings);
  } catch (const c10::Error& error) {
    if (tells_of_memory(error.what())) fail_of_memory(trainee, settings);
    fail(Code::Runtime, "{}: {}", trainee.name, first_line(error.what()));
  }
}

}  // namespace octet
