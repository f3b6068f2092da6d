import ArgumentParser
import Foundation
import Sync
import Vault

struct OneTimeCodeCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "otp",
    abstract: "Print the one-time code of the moment.",
    discussion: "EXAMPLE: higgins otp github.example")

  @Argument(help: .contextName)
  var context: String

  @Argument(help: ArgumentHelp("Which, when the context has several.", valueName: "attribute"))
  var attribute: String?

  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let context = try Matching.context(
      context, in: await device.contexts(matching: context))
    let code = try OneTimeCode(try secret(in: context).text)
    let seconds = Device.wallClock / 1000
    let text = code.code(at: seconds)
    guard console.isTerminal else { return try await console.write(Array(text.utf8), to: .output) }
    try await console.line(text)
    try await console.note("Good for \(code.secondsLeft(at: seconds)) s more.")
  }

  private func secret(in context: ContextRecord) throws -> AttributeRecord {
    if let attribute { return try Matching.attribute(attribute, in: context) }
    let found = context.attributes.filter { $0.kind == .totp }
    guard let first = found.first else {
      throw Failure(
        .notFound,
        "\(context.name) has no secret for one-time codes. Add one with `higgins set"
          + " \"\(context.name)\" otp --type totp`.")
    }
    guard found.count == 1 else {
      throw MatchFailure.several(
        what: "secret for one-time codes", query: context.name, candidates: found.map(\.label))
    }
    return first
  }
}

struct CopyCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Copy the value of an attribute to the clipboard for a while.",
    discussion: "EXAMPLE: higgins copy github.example password")

  @Argument(help: .contextName)
  var context: String

  @Argument(help: .attributeName)
  var attribute: String

  @Option(help: ArgumentHelp("Take it away again after this long.", valueName: "seconds"))
  var clear = 45

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard (1...3600).contains(clear) else {
      throw ValidationError("--clear takes 1 to 3600 seconds.")
    }
  }

  /// Of a secret for one-time codes the code of the moment, as on the screen.
  private func text(of attribute: AttributeRecord) throws -> String {
    guard attribute.kind == .totp else { return attribute.text }
    return try OneTimeCode(attribute.text).code(at: Device.wallClock / 1000)
  }

  func run(on device: Device, console: any Console) async throws {
    let context = try Matching.context(
      context, in: await device.contexts(matching: context))
    let attribute = try Matching.attribute(attribute, in: context)
    let words = try await console.copy(text(of: attribute), clearAfter: clear)
    try await console.note(
      "\(context.name) / \(attribute.label): \(words), cleared in \(clear) s.")
  }
}

/// Left behind by `copy`: reads what was copied from standard input and clears it in time. Without
/// a tool standard output is the terminal it was sent to.
struct ClearClipboardCommand: AsyncParsableCommand {
  static let name = "clear-clipboard"

  static let configuration = CommandConfiguration(
    commandName: name, abstract: "Clear the clipboard later.", shouldDisplay: false)

  @Option var tool: String?
  @Option var after: Int

  func run() async throws {
    let clipboard = try tool.map { name in
      guard let tool = Clipboard.Tool(rawValue: name) else { throw ExitCode(64) }
      return Clipboard(tool: tool)
    }
    let bytes = try await SystemConsole().read(.input, limitBytes: TerminalLine.limitBytes)
    try await Task.sleep(for: .seconds(after))
    guard let clipboard else {
      let terminal = TerminalClipboard(environment: ProcessInfo.processInfo.environment)
      return try terminal.send(ClipboardRoute.blank, to: STDOUT_FILENO)
    }
    try clipboard.clear(String(decoding: bytes, as: UTF8.self))
  }
}
