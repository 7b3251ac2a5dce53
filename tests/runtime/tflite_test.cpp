#include <gtest/gtest.h>

#include "runtime/session.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

TEST(TfliteSession, RefusesWhatIsNoNetwork) {
  const TempFolder folder;
  folder.write("text.tflite", "this is not a network");
  const Error missing = error_of([&] { open_tflite(folder / "missing.tflite", 1); });
  EXPECT_EQ(missing.code(), Code::Model);
  EXPECT_EQ(folder.without(missing.what()),
            "cannot read missing.tflite: No such file or directory");
  const Error text = error_of([&] { open_tflite(folder / "text.tflite", 1); });
  EXPECT_EQ(text.code(), Code::Model);
  EXPECT_TRUE(folder.without(text.what()).starts_with("text.tflite is not a TFLite file: "))
      << text.what();
}

}  // namespace
}  // namespace octet
