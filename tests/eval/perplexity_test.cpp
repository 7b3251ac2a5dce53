#include "eval/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

/// Says of every token that the next one in the alphabet follows, `sure` logits above all others.
class Alphabet final : public Session {
 public:
  explicit Alphabet(float sure, Shape tokens = {3}, Shape logits = {3, 128})
      : sure_(sure), tokens_(std::move(tokens)), logits_(std::move(logits)) {}

  std::string runtime() const override { return "none"; }
  Shape image_shape() const override { return tokens_; }
  Shape output_shape() const override { return logits_; }
  std::vector<OperatorUse> operators() override { return {}; }
  std::vector<float> run(std::span<const float> tokens, int64_t) override {
    std::vector<float> logits(tokens.size() * 128, 1000);
    for (size_t i = 0; i < tokens.size(); ++i) {
      logits[i * 128 + static_cast<size_t>(tokens[i]) + 1] += sure_;
    }
    return logits;
  }

 private:
  float sure_;
  Shape tokens_;
  Shape logits_;
};

std::unique_ptr<Dataset> book(const TempFolder& folder, std::string_view text) {
  return open_dataset({.format = "text", .images = folder.write("book.txt", text), .length = 3});
}

TEST(Perplexity, IsTheNumberOfTokensWhereNothingIsKnown) {
  const TempFolder folder;
  Alphabet session(0);
  const TextScore score = score_text(session, *book(folder, "abcxyzabc"), 100, "evaluate", {});
  EXPECT_EQ(score.sequences, 2);
  EXPECT_EQ(score.tokens, 6);
  EXPECT_NEAR(score.perplexity, 128, 1e-9);
}

TEST(Perplexity, CountsEveryPlaceOnceAndTheByteAfterTheLast) {
  const TempFolder folder;
  Alphabet session(5);
  // Told: b, c after a, b; not x after c. Told: y, z, not a.
  const TextScore score = score_text(session, *book(folder, "abcxyza"), 1, "evaluate", {});
  EXPECT_EQ(score.tokens, 6);
  EXPECT_NEAR(score.top1, 100 * 4.0 / 6, 1e-9);
  const double sum = std::log(std::exp(5.0) + 127);
  EXPECT_NEAR(score.perplexity, std::exp(sum - 5.0 * 4 / 6), 1e-6);
}

TEST(Perplexity, RefusesOtherNetworks) {
  const TempFolder folder;
  const auto text = book(folder, "abcxyz");
  const auto refused = [&](Alphabet session) {
    return message_of([&] { score_text(session, *text, 1, "evaluate", {}); });
  };
  EXPECT_EQ(refused(Alphabet(0, {4})),
            "the sequences have 3 tokens, the network wants 4; set 'length' in the data "
            "description, or use other data");
  EXPECT_EQ(refused(Alphabet(0, {3}, {10})),
            "the network puts out 10 for a sequence of 3 tokens; wanted logits of the next token "
            "at each place, 3xTOKENS");
  EXPECT_EQ(refused(Alphabet(0, {3}, {3, 64})), "the text has the token 98, the network knows 64");
  EXPECT_EQ(refused(Alphabet(std::nanf(""))), "the logits of sequence 0 are not finite");
}

}  // namespace
}  // namespace octet
