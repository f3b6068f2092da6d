import Foundation
import Sync
import Vault
import Wire

/// The independent model: every commit that an honest device ever signed, opened, and the register
/// rule written a second time. It shares no code with the replica.
struct Shadow {
  /// One version as its JSON says.
  struct Version: Decodable, Hashable {
    struct Content: Decodable, Hashable {
      var name: String?
      var text: String?
      var label: String?
    }

    let context: ContextID
    let attribute: AttributeID?
    let register: String
    let id: VersionID
    let supersedes: [VersionID]
    let time: [Int64]
    let content: Content?
    let seen: [VersionID]?
    /// The version that this one writes again.
    let copies: VersionID?

    enum CodingKeys: String, CodingKey {
      case context = "ctx"
      case attribute = "attr"
      case register = "kind"
      case id = "version"
      case supersedes
      case time = "hlc"
      case content = "value"
      case seen, copies
    }
  }

  struct Commit {
    let header: EnvelopeHeader
    let versions: [Version]
  }

  /// Which register of which context.
  struct Place: Hashable {
    let context: ContextID
    let attribute: AttributeID?
    let register: String
  }

  /// By digest: what honest devices signed.
  private(set) var commits: [Digest32: Commit] = [:]
  /// Who wrote each version first.
  private(set) var authors: [VersionID: DeviceID] = [:]
  private(set) var versions: [VersionID: Version] = [:]
  private var nonces: [[UInt8]: Digest32] = [:]
  /// The digest that each device was seen to send for a sequence.
  private var sent: [DeviceID: [UInt64: Digest32]] = [:]

  /// Notes what a device signed; false for what it had signed before.
  ///
  /// - Throws: ``Violation`` when a nonce stands in two commits.
  @discardableResult
  mutating func signed(
    _ envelope: Envelope, by keyring: Keyring, membership: Membership
  ) throws -> Bool {
    let hash = envelope.hash
    guard commits[hash] == nil else { return false }
    if let other = nonces.updateValue(hash, forKey: envelope.header.nonce), other != hash {
      throw Violation(.s8, "two commits are sealed with one nonce")
    }
    let plaintext = try keyring.openCommit(envelope, membership: membership)
    let versions = try Self.read(plaintext)
    commits[hash] = Commit(header: envelope.header, versions: versions)
    try note(versions, by: envelope.header.device)
    return true
  }

  static func read(_ plaintext: [UInt8]) throws -> [Version] {
    try JSONDecoder().decode([Version].self, from: Data(plaintext))
  }

  /// Notes versions, committed or not.
  ///
  /// - Throws: ``Violation`` when one id names two versions.
  mutating func note(_ new: [Version], by author: DeviceID) throws {
    for version in new {
      if let known = versions[version.id] {
        guard known == version else { throw Violation(.s1, "two versions have one id") }
      } else {
        versions[version.id] = version
        authors[version.id] = author
      }
    }
  }

  /// Notes what a device sent.
  ///
  /// - Throws: ``Violation`` when it had sent something else under that sequence.
  mutating func sent(_ envelope: Envelope) throws {
    let header = envelope.header
    let known = sent[header.device, default: [:]].updateValue(
      envelope.hash, forKey: header.sequence)
    guard known == nil || known == envelope.hash else {
      throw Violation(.s8, "a device sent two commits \(header.sequence)")
    }
  }

  /// A version, the one that it copies, what that copies, and so on.
  func originals(of id: VersionID) -> [Version] {
    var originals: [Version] = []
    var next = versions[id]
    while let version = next {
      originals.append(version)
      next = version.copies.flatMap { versions[$0] }
    }
    return originals
  }

  // MARK: the register rule

  /// What a set of versions shows.
  struct Fold {
    /// The versions nobody of the set supersedes.
    var heads: [Place: Set<VersionID>] = [:]
    var all: [Place: Set<VersionID>] = [:]
  }

  func fold(_ ids: Set<VersionID>) -> Fold {
    var fold = Fold()
    var superseded: Set<VersionID> = []
    for id in ids {
      guard let version = versions[id] else { continue }
      superseded.formUnion(version.supersedes)
    }
    for id in ids {
      guard let version = versions[id] else { continue }
      let place = Place(
        context: version.context, attribute: version.attribute, register: version.register)
      fold.all[place, default: []].insert(id)
      if !superseded.contains(id) { fold.heads[place, default: []].insert(id) }
    }
    return fold
  }

  /// The head to show: the latest that is no deletion, the greater author in a tie; of two that one
  /// edit wrote, the greater id.
  func shown(of heads: Set<VersionID>) -> Version? {
    heads.compactMap { versions[$0] }.filter { $0.content != nil }.max { left, right in
      let times = (left.time, right.time)
      if times.0 != times.1 { return times.0.lexicographicallyPrecedes(times.1) }
      let writers = (authors[left.id] ?? .zero, authors[right.id] ?? .zero)
      return writers.0 != writers.1 ? writers.0 < writers.1 : left.id < right.id
    }
  }

  /// Whether a context is there: named, and not deleted by somebody who had seen all that is
  /// written in it.
  func isThere(_ context: ContextID, in fold: Fold) -> Bool {
    func heads(_ register: String) -> Set<VersionID> {
      fold.heads[Place(context: context, attribute: nil, register: register)] ?? []
    }
    guard shown(of: heads("meta"))?.content?.name != nil else { return false }
    let existence = heads("exists").compactMap { versions[$0] }
    guard existence.contains(where: { $0.content == nil }) else { return true }
    if existence.contains(where: { $0.content != nil }) { return true }
    let seen = Set(existence.flatMap { $0.seen ?? [] })
    func isUnseen(_ id: VersionID) -> Bool { versions[id]?.content != nil && !seen.contains(id) }
    if heads("meta").contains(where: isUnseen) { return true }
    return fold.heads.contains { place, values in
      guard place.context == context, let attribute = place.attribute, place.register == "value",
        shown(of: values) != nil
      else { return false }
      let described = Place(context: context, attribute: attribute, register: "meta")
      return values.union(fold.heads[described] ?? []).contains(where: isUnseen)
    }
  }

  /// The versions of the commits that a frontier stands for, through all they depend on.
  func versions(behind frontier: Frontier) -> Set<VersionID> {
    var ids: Set<VersionID> = []
    for hash in hashes(behind: frontier) { ids.formUnion(commits[hash]?.versions.map(\.id) ?? []) }
    return ids
  }

  /// The commits that a frontier stands for.
  func hashes(behind frontier: Frontier) -> Set<Digest32> {
    var visited: Set<Digest32> = []
    var open = frontier.heads.values.map(\.hash)
    while let hash = open.popLast() {
      guard let commit = commits[hash], visited.insert(hash).inserted else { continue }
      open.append(commit.header.previous)
      open += commit.header.dependencies.heads.values.map(\.hash)
    }
    return visited
  }
}
