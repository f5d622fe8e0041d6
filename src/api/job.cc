#include "api/job.h"

#include "base/cut_text.h"
#include "schema/schema.h"

namespace kb::api {
namespace {

constexpr std::size_t text_bytes_max = 700;

void cut(std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) text = cut_text(text, bytes_max) + "...";
}

}  // namespace

std::string to_termination_message(WorkReport report) {
  if (report.error) {
    cut(report.error->message, text_bytes_max);
    cut(report.error->hint, text_bytes_max);
  }
  if (report.retention) cut(report.retention->error, text_bytes_max / 2);
  for (auto& warning : report.warnings) cut(warning, text_bytes_max / 2);
  auto text = schema::write_text(report);
  while (text.size() > work_report_bytes_max) {
    if (!report.warnings.empty())
      report.warnings.pop_back();
    else if (report.points && !report.points->newest.empty())
      report.points->newest.pop_back();
    else
      break;  // the texts are short by now
    text = schema::write_text(report);
  }
  return text;
}

}  // namespace kb::api
