import ArgumentParser
import Sync

struct ShowCommand: DeviceCommand {
  /// What stands for a concealed value, whatever its length.
  static let mask = "••••••••"

  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the attributes of a context.",
    discussion: "EXAMPLE: higgins show github.example --reveal --at 2026-11-01")

  @Argument(help: .contextName)
  var context: String

  @Flag(help: "Print concealed values, too.")
  var reveal = false

  @OptionGroup var past: PastOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let found = try Matching.context(
      context, in: await device.replica(at: past.at).contexts(matching: context))
    guard !output.json else {
      try await console.record(ShowRecord(found, reveals: reveal))
      return
    }
    try await console.line("\(found.name)  (\(found.kind.rawValue))")
    guard !found.attributes.isEmpty else { return }
    try await console.line(Lines.table(found.attributes.map(row)))
  }

  private func row(_ attribute: AttributeRecord) -> [String] {
    let value = attribute.isConcealed && !reveal ? Self.mask : attribute.text
    let marks = [
      attribute.hasConflict ? "conflict" : nil, attribute.isPending ? "not sent yet" : nil,
    ].compactMap(\.self)
    let remark = marks.isEmpty ? "" : "  (\(marks.joined(separator: ", ")))"
    return ["  " + attribute.label, value + remark]
  }
}
