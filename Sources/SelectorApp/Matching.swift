import Sync
import Wire

/// Why a name given on the command line names nothing, or too much.
enum MatchFailure: Error, Hashable {
  /// What was looked for (`context`), the text, and names near it.
  case none(what: String, query: String)
  case several(what: String, query: String, candidates: [String])

  /// Candidates listed; more are only counted.
  static let shownCandidates = 12

  var failure: Failure {
    switch self {
    case .none(let what, let query):
      return Failure(.notFound, "\"\(query)\" names no \(what). Nothing was changed.")
    case .several(let what, let query, let candidates):
      let shown = candidates.prefix(Self.shownCandidates).joined(separator: ", ")
      let rest = candidates.count - Self.shownCandidates
      let more = rest > 0 ? ", and \(rest) more" : ""
      return Failure(
        .notFound,
        "\"\(query)\" is not one \(what) but \(candidates.count): \(shown)\(more). Nothing was"
          + " changed.")
    }
  }
}

/// Finds what a person names: by id, by the whole name, by its beginning, by a part of it, in this
/// order. The first of these that fits anything decides; then it must be one.
enum Matching {
  static func context(
    _ query: String, in contexts: [ContextRecord]
  ) throws(MatchFailure) -> ContextRecord {
    try one(
      of: contexts, query, what: "context", name: \.name, id: { "\($0.id)" })
  }

  static func device(
    _ query: String, in devices: [SyncStatus.Peer]
  ) throws(MatchFailure) -> SyncStatus.Peer {
    try one(of: devices, query, what: "device", name: \.name, id: { "\($0.id)" })
  }

  static func attribute(
    _ query: String, in context: ContextRecord
  ) throws(MatchFailure) -> AttributeRecord {
    try one(
      of: context.attributes, query, what: "attribute of \(context.name)", name: \.label,
      id: { "\($0.id)" })
  }

  /// The attribute with exactly this label or id; nil when there is none, as where one is made
  /// then.
  static func exactAttribute(
    _ query: String, in context: ContextRecord
  ) throws(MatchFailure) -> AttributeRecord? {
    let folded = query.lowercased()
    let found = context.attributes.filter {
      $0.label.lowercased() == folded || "\($0.id)" == folded
    }
    guard found.count > 1 else { return found.first }
    return try attribute(query, in: context)
  }

  /// The value of a conflict whose id begins with `query`.
  static func value(_ query: String, in values: [ValueRecord]) throws(MatchFailure) -> ValueRecord {
    let found = values.filter { !query.isEmpty && "\($0.id)".hasPrefix(query.lowercased()) }
    guard let first = found.first else {
      throw .none(what: "value of the conflict by its id", query: query)
    }
    guard found.count == 1 else {
      throw .several(what: "value", query: query, candidates: found.map { "\($0.id)" })
    }
    return first
  }

  static func one<Record>(
    of records: [Record], _ query: String, what: String, name: (Record) -> String,
    id: (Record) -> String
  ) throws(MatchFailure) -> Record {
    guard !query.isEmpty else { throw .none(what: what, query: query) }
    for rule in Rule.allCases {
      let found = records.filter { rule.fits(query, name: name($0), id: id($0)) }
      guard let first = found.first else { continue }
      if found.count == 1 { return first }
      throw .several(what: what, query: query, candidates: named(found, name: name, id: id))
    }
    throw .none(what: what, query: query)
  }

  private enum Rule: CaseIterable {
    case id, whole, wholeInAnyCase, beginning, part

    func fits(_ query: String, name: String, id: String) -> Bool {
      let folded = query.lowercased()
      return switch self {
      case .id: id == folded
      case .whole: name == query
      case .wholeInAnyCase: name.lowercased() == folded
      case .beginning: name.lowercased().hasPrefix(folded)
      case .part: name.lowercased().contains(folded)
      }
    }
  }

  /// Names, with the beginning of the id where a name alone does not tell them apart.
  private static func named<Record>(
    _ records: [Record], name: (Record) -> String, id: (Record) -> String
  ) -> [String] {
    let counts = Dictionary(records.map { (name($0), 1) }, uniquingKeysWith: +)
    return records.map { counts[name($0)] == 1 ? name($0) : "\(name($0)) (\(id($0)))" }
  }
}

extension Replica {
  /// Where ``Matching/context(_:in:)`` finds what a person named: the one context that it can only
  /// be, or all. One of 50,000 is found without looking at the others.
  func contexts(matching query: String) -> [ContextRecord] {
    if let id = ContextID(query), let record = self[id] { return [record] }
    let named = contexts(named: query)
    return named.count == 1 ? named : contexts
  }
}
