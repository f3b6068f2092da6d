import ArgumentParser
import Sync

struct GetCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print the value of an attribute, and nothing else.",
    discussion: """
      EXAMPLE: higgins get github.example password | wl-copy

      A newline is added on a terminal only. In a conflict the value shown elsewhere is printed and \
      the exit code is 5.
      """)

  @Argument(help: .contextName)
  var context: String

  @Argument(help: .attributeName)
  var attribute: String

  @OptionGroup var past: PastOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let context = try Matching.context(
      context, in: await device.replica(at: past.at).contexts(matching: context))
    let attribute = try Matching.attribute(attribute, in: context)
    if console.isTerminal {
      try await console.line(attribute.text)
    } else {
      try await console.write(Array(attribute.text.utf8), to: .output)
    }
    guard attribute.hasConflict else { return }
    throw Failure(
      .conflict,
      "\(context.name) / \(attribute.label) has \(attribute.heads.count) values; this is the newest."
        + " All are kept. Choose with `higgins resolve`.")
  }
}
