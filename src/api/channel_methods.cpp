#include "api/channel_methods.h"

#include <format>

#include "quant/channels/absorb_bias.h"
#include "quant/channels/attention_heads.h"
#include "quant/channels/equalize.h"
#include "quant/channels/migrate.h"
#include "quant/channels/unclip.h"

namespace octet {
namespace {

constexpr int64_t kChannelImages = 256;

NextImages channel_images(const MethodContext& context) {
  return first_images(context, kChannelImages);
}

/// "; 12 left alone, because ..."; empty where there are none.
std::string left_alone(const std::vector<RefusedRegion>& refused) {
  if (refused.empty()) return "";
  return std::format("; {} left alone, because channels cannot be scaled through {}",
                     refused.size(), count_refusals(refused));
}

void note_clips(const Unclipping& clips, const MethodContext& context, std::string_view method) {
  if (clips.clips == 0) return;
  context.notes.push_back(std::format(
      "{}: {} of {} Clips became Relu, through which channels can be scaled; {} of {} predictions "
      "change by that",
      method, clips.replaced, clips.clips, clips.changed, clips.images));
}

void open_clips(Graph& graph, const MethodContext& context, std::string_view method) {
  if (!context.images) return;
  note_clips(replace_harmless_clips(graph, [&] { return channel_images(context); }), context,
             method);
}

void equalize(Graph& graph, const MethodContext& context, std::string_view method, bool joined) {
  open_clips(graph, context, method);
  const Equalization done = equalize_channels(graph, joined);
  context.notes.push_back(std::format("{}: {} places between weights equalized in {} rounds{}",
                                      method, done.regions, done.rounds, left_alone(done.refused)));
}

}  // namespace

void run_equalize(Graph& graph, const MethodContext& context) {
  equalize(graph, context, "equalize", /*joined=*/false);
}

void run_equalize_sums(Graph& graph, const MethodContext& context) {
  equalize(graph, context, "equalize-sums", /*joined=*/true);
}

void run_migrate(Graph& graph, const MethodContext& context) {
  open_clips(graph, context, "migrate");
  const Migration done =
      migrate_channels(graph, channel_images(context), context.settings.migration);
  context.notes.push_back(
      std::format("migrate: {} places between weights scaled; where channels differ most, the "
                  "largest was {:.1f} times the median one and is {:.1f} times now{}",
                  done.regions, done.spread, done.evened, left_alone(done.refused)));
}

void run_equalize_heads(Graph& graph, const MethodContext& context) {
  const HeadEqualization done =
      equalize_heads(graph, [&] { return channel_images(context); }, context.settings.migration);
  context.notes.push_back(
      std::format("equalize-heads: heads scaled in {} of {} linear attentions; where they differ "
                  "most, the largest divisor was {:.1f} times that of another head",
                  done.equalized, done.attentions, done.spread));
}

void run_absorb_bias(Graph& graph, const MethodContext& context) {
  const Absorption done = absorb_biases(graph, channel_images(context));
  context.notes.push_back(
      std::format("absorb-bias: {} channels moved in {} of {} places; {} more places left alone, "
                  "because their readers see padding",
                  done.channels, done.moved_places, done.places, done.padded));
}

}  // namespace octet
