import ArgumentParser
import Sync
import Wire

struct HistoryCommand: DeviceCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "List the values attributes had.",
    discussion: """
      EXAMPLE: higgins history github.example password --reveal

      Without an attribute everything of the context is listed, its names and removed attributes \
      among it.
      """)

  @Argument(help: .contextName)
  var context: String

  @Argument(help: .attributeName)
  var attribute: String?

  @Flag(help: "Print concealed values, too.")
  var reveal = false

  @OptionGroup var past: PastOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run(on device: Device, console: any Console) async throws {
    let replica = await device.replica(at: past.at)
    let context = try Matching.context(context, in: replica.contexts(matching: context))
    var records = Self.records(of: context, in: replica, reveals: reveal)
    if let attribute {
      let wanted = try Matching.attribute(attribute, in: context).id
      records = records.filter { $0.attribute == wanted }
    }
    guard !output.json else {
      for record in records { try await console.record(record) }
      return
    }
    try await print(records, on: device, at: console)
  }

  /// By attribute in the order they first had a value, each oldest first.
  static func records(
    of context: ContextRecord, in replica: Replica, reveals: Bool
  ) -> [HistoryRecord] {
    let known = Dictionary(context.attributes.map { ($0.id, $0) }) { first, _ in first }
    let lines = replica.history(of: context.id)
    var order: [AttributeID?: Int] = [:]
    for line in lines where order[line.attribute] == nil { order[line.attribute] = order.count }
    return lines.enumerated().sorted { left, right in
      let (first, second) = (
        order[left.element.attribute] ?? 0, order[right.element.attribute] ?? 0
      )
      return first != second ? first < second : left.offset < right.offset
    }.map { _, line in
      // Of a removed attribute nobody says any more whether it was concealed.
      let isConcealed = line.attribute.map { known[$0]?.isConcealed ?? true } ?? false
      return HistoryRecord(
        line.value, attribute: line.attribute, label: line.label,
        reveals: reveals || !isConcealed)
    }
  }

  private func print(
    _ records: [HistoryRecord], on device: Device, at console: any Console
  ) async throws {
    var rows: [[String]] = []
    for (place, record) in records.enumerated() {
      if place == 0 || records[place - 1].attribute != record.attribute {
        rows.append([record.attribute == nil ? "(name)" : record.label])
      }
      rows.append([
        record.head ? "  *" : "   ", String("\(record.id)".prefix(8)), Lines.time(record.at),
        await device.name(of: record.device),
        record.removed ? "(removed)" : record.value ?? ShowCommand.mask,
      ])
    }
    guard !rows.isEmpty else { return }
    var start = 0
    while start < rows.count {
      let end = rows[(start + 1)...].firstIndex { $0.count == 1 } ?? rows.count
      try await console.line(rows[start][0])
      if end > start + 1 { try await console.line(Lines.table(Array(rows[(start + 1)..<end]))) }
      start = end
    }
  }
}
