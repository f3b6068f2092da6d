import Foundation

/// Reads what devices hold, and holds the journal against it.
struct Checker {
  let stage: Stage
  let journal: Journal

  /// What one device shows of everything it has.
  struct Holding {
    /// The versions that carry a value: context, attribute and version, each as it is named.
    var places: [String: Set<String>] = [:]
    /// Everything but marks of the moment, for comparing devices.
    var lines: Set<String> = []
  }

  private struct Context: Decodable {
    struct Attribute: Decodable {
      struct Version: Decodable {
        let id, value: String?
        let head: Bool?
      }
      let id, label: String
      let value: String?
      let history: [Version]?
    }
    let id, name: String
    let attributes: [Attribute]
  }

  /// `higgins export json` of a device, without asking the server for anything.
  func holding(of device: String) throws -> Holding {
    let (status, text, complaint) = try stage.run(device, ["export", "json", "-"])
    guard status == 0 else {
      throw ChaosError.failed("\(device) cannot be read: exit \(status ?? -1): \(complaint)")
    }
    return try Self.read(text)
  }

  static func read(_ text: String) throws -> Holding {
    var holding = Holding()
    for line in text.split(separator: "\n") {
      let context = try JSONDecoder().decode(Context.self, from: Data(line.utf8))
      for attribute in context.attributes {
        for version in attribute.history ?? [] {
          guard let value = version.value, let id = version.id else { continue }
          let place = "\(context.id)/\(attribute.id)/\(id)"
          holding.places[Self.token(of: value), default: []].insert(place)
          let head = version.head == true ? "head" : "past"
          holding.lines.insert("\(context.name)/\(attribute.label)/\(place)/\(head)")
        }
      }
    }
    return holding
  }

  /// A value is its token and, after a space, something to give it length.
  static func token(of value: String) -> String {
    value.split(separator: " ", maxSplits: 1).first.map(String.init) ?? value
  }

  // MARK: judging

  /// What one device must hold by itself: all that it acknowledged.
  func own(_ device: String) throws -> [Finding] {
    let holding = try holding(of: device)
    return journal.order.compactMap { journal.entries[$0] }.filter { $0.device == device }
      .compactMap { Self.judge($0, holding, on: device) }
  }

  /// What every device must hold once all is healed, and that they agree.
  func all() throws -> [Finding] {
    var findings: [Finding] = []
    var holdings: [(String, Holding)] = []
    for device in Stage.devices { holdings.append((device, try holding(of: device))) }
    for (device, holding) in holdings {
      for token in journal.order {
        guard let entry = journal.entries[token] else { continue }
        if let finding = Self.judge(entry, holding, on: device) { findings.append(finding) }
      }
      for (value, places) in holding.places where journal.entries[value] == nil {
        findings.append(
          Finding(
            moment: "?",
            fact: "\(device) holds \(value.prefix(40)), set by nobody (\(places.first ?? ""))"))
      }
    }
    for (device, holding) in holdings.dropFirst() where holding.lines != holdings[0].1.lines {
      let difference = holding.lines.symmetricDifference(holdings[0].1.lines).sorted()
      findings.append(
        Finding(
          moment: "?",
          fact:
            "\(device) and \(holdings[0].0) differ in \(difference.count) versions, such as \(difference[0])"
        ))
    }
    return findings
  }

  private static func judge(_ entry: Journal.Entry, _ holding: Holding, on device: String)
    -> Finding?
  {
    let count = holding.places[entry.token]?.count ?? 0
    let isRight =
      switch entry.outcome {
      case .acknowledged: count == 1
      case .refused: count == 0
      case .open: count <= 1
      }
    guard !isRight else { return nil }
    let said =
      switch entry.outcome {
      case .acknowledged: "acknowledged"
      case .refused: "refused with \"nothing was changed\""
      case .open: "not acknowledged"
      }
    return Finding(
      moment: entry.moment,
      fact: "\(entry.token) (\(entry.context) / \(entry.label), set on \(entry.device), \(said))"
        + " is there \(count) times on \(device)")
  }
}
