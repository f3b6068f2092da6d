import Vault
public import Wire

/// Leaving a history that the server's contradicts, and keeping what it said.
///
/// Each chain goes back to what is proven to be on the server by hash. What the commits beyond
/// said, whoever wrote them, becomes saved edits of this device with the versions it had, and is
/// committed under a new id once the server's history is here: should somebody else have published
/// the same, the versions are equal and merge. Nothing of either history is lost.
extension SyncCore {
  /// The server holds this commit of a device; proven if the log has that hash there.
  public struct Claim: Hashable, Sendable {
    public let device: DeviceID
    public let published: Head?
  }

  /// The commits of a device beyond what is proven, as far as they are in the log.
  public struct Branch: Hashable, Sendable {
    public let device: DeviceID
    public let proven: Head?
    public let commits: [Envelope]

    public init(device: DeviceID, proven: Head?, commits: [Envelope]) {
      self.device = device
      self.proven = proven
      self.commits = commits
    }

    /// The rest of it, of which nothing before `sequence` goes back.
    func beginning(at sequence: UInt64) -> Branch {
      let before = commits.prefix { $0.header.sequence < sequence }
      let last = before.last.map { Head(sequence: $0.header.sequence, hash: $0.hash) }
      return Branch(
        device: device, proven: last ?? proven, commits: Array(commits[before.endIndex...]))
    }
  }

  /// What the server was last believed to hold of this device.
  var ownClaim: Claim { Claim(device: device, published: serverFrontier[device]) }

  /// Two histories of one device were shown, and the person wants both.
  mutating func wantMerge(at now: Moment, _ step: inout Step, _ entropy: inout some Entropy) {
    guard keyring != nil, isForked else { return }
    wantsMerge = true
    refusal = nil
    run(.wanted, at: now, &step, &entropy)
  }

  private static let contradiction = """
    Two histories that contradict each other are put together. This device takes a new \
    identity and writes again what the server does not have.
    """

  /// Begins with all chains that the server's history does not continue.
  mutating func beginMerge(
    with server: Frontier, forked author: DeviceID, because text: String = contradiction,
    at now: Moment, _ step: inout Step
  ) {
    if replacement == nil {
      note(Notice(code: Replacement.code, text: text, at: now.wall, isAlarm: false), &step)
    }
    replacement = .detected
    mayKeepIdentity = false
    let claims = claims(against: server, forked: author)
    if wantsMerge { merging = claims }
    step.effects.append(.readBranches(claims))
  }

  private func claims(against server: Frontier, forked author: DeviceID) -> [Claim] {
    frontier.sorted.compactMap { device, head -> Claim? in
      let claim = Claim(device: device, published: server[device])
      if device == author || device == self.device { return claim }
      let published = claim.published?.sequence ?? 0
      return published < head.sequence || published == head.sequence && claim.published != head
        ? claim : nil
    }
  }

  /// Begins where the server does not show its history, but offers a snapshot of it, or refuses
  /// what contradicts it: a chain of which it holds more proves nothing of what is held here, nor
  /// does that of `author`.
  mutating func beginMerge(
    withUnshown server: Frontier, forked author: DeviceID? = nil, at now: Moment, _ step: inout Step
  ) {
    let known = server.heads.filter { device, head in
      device != author && head.sequence <= frontier.sequence(of: device)
    }
    beginMerge(with: Frontier(known), forked: author ?? device, at: now, &step)
  }

  /// What the server does not hold, of this device's chain and of others': these may stand on what
  /// goes back of it.
  var unpublishedClaims: [Claim] {
    [ownClaim] + claims(against: serverFrontier, forked: device).filter { $0.device != device }
  }

  /// What is to be read again when the process ended before it was: beyond the cut of a change of
  /// keys, else beyond what the server holds.
  var interruptedClaims: [Claim] {
    if learnedParting != nil { return wholeLog }
    guard let cut = learned.first(where: { $0.kind == .rotateEpoch })?.dependencies else {
      return unpublishedClaims
    }
    return claims(against: cut, forked: device)
  }

  /// What goes back of branches that were read because of this device's own: of others' only what
  /// stands on something that goes back. No server would ever take that, and nothing after it.
  private func standing(_ branches: [Branch]) -> [Branch] {
    var back: [DeviceID: UInt64] = [:]
    for branch in branches where branch.device == device {
      back[device] = (branch.proven?.sequence ?? 0) + 1
    }
    var isMore = true
    while isMore {
      isMore = false
      for branch in branches {
        let first = branch.commits.first { envelope in
          envelope.header.dependencies.heads.contains { author, head in
            back[author].map { head.sequence >= $0 } ?? false
          }
        }
        guard let first = first?.header.sequence, first < back[branch.device] ?? .max else {
          continue
        }
        back[branch.device] = first
        isMore = true
      }
    }
    return branches.compactMap { branch in back[branch.device].map { branch.beginning(at: $0) } }
  }

  /// Goes back to what is proven of each chain, and keeps the rest as saved edits.
  mutating func leave(
    _ branches: [Branch], at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    guard replacement == .detected, keyring != nil else { return }
    var taken: [Operation] = []
    let (own, parting) = (frontier[device], learnedParting)
    let isOfOwn = parting == nil && learned.isEmpty && !wantsMerge
    let leaving = isOfOwn ? standing(branches) : branches.compactMap { bounded($0, by: parting) }
    let covered = checkpoint?.frontier
    for branch in leaving { taken += takeBack(branch, &step) }
    if let parting {
      yield(to: parting, &step)
      keyring = try keyring?.extended(by: membership)
    } else {
      takeLearned(&step)
    }
    guard let keyring else { return }
    if covered != checkpoint?.frontier || parting != nil && checkpoint != nil {
      try writeCheckpoint(with: keyring, at: now, &step, &entropy)
    }
    for (context, group) in Dictionary(grouping: taken, by: \.context) {
      var settled =
        settling[context]
        ?? Settling(operations: [], sealed: [], firstSaved: now.uptime, due: now.uptime)
      settled.operations = group + settled.operations
      settling[context] = settled
    }
    try sealSettling(touched: Set(settling.keys), keyring, &entropy)
    step.transaction.settled = settledRows
    step.transaction.serverFrontier = serverFrontier
    replacement = .pulling
    if parting != nil { decideIdentity(isWhole: frontier[device] == own, at: now, &step) }
    run(.wanted, at: now, &step, &entropy)
  }

  /// - Returns: what it said that no other commit says.
  private mutating func takeBack(_ branch: Branch, _ step: inout Step) -> [Operation] {
    let (device, proven) = (branch.device, branch.proven)
    let taken = replica.unplace(commitsOf: device, beyond: proven?.sequence ?? 0)
    step.transaction.rewinds.append(Transaction.Rewind(device: device, to: proven))
    frontier[device] = proven
    // What is proven may have been pruned, too; the checkpoint stands for that.
    if floor.sequence(of: device) > proven?.sequence ?? 0 { floor[device] = proven }
    if let covered = checkpoint?.frontier.sequence(of: device), covered > proven?.sequence ?? 0 {
      checkpoint?.frontier[device] = proven
    }
    // What the server was known to hold of this id may be another history's by now.
    serverFrontier[device] = proven
    return taken
  }
}
