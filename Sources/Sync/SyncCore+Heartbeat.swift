import Vault
public import Wire

/// Telling the others what is held here, where nothing is changed for long.
///
/// What a commit depends on is what its author held. A device that only reads would never say so,
/// and nobody could tell whether a deletion has reached it: nothing deleted could ever be given up.
/// So a day after the first change that none of its own commits stands on, it makes a commit that
/// says nothing else. Heartbeats are not answered by heartbeats.
extension SyncCore {
  /// 24 h: what waits for it, giving up deleted contexts, takes 30 days anyway.
  static let heartbeatWait: Int64 = 86_400_000
  /// What a heartbeat says: no operations.
  private static let nothing = Array("[]".utf8)

  mutating func noteUnanswered(at now: Moment, _ step: inout Step) {
    guard unanswered == .nothing else { return }
    unanswered = .since(now.wall)
    step.transaction.unanswered = unanswered
  }

  /// A commit of this device stands on everything that is held.
  mutating func answered(_ step: inout Step) {
    guard unanswered != .nothing else { return }
    unanswered = .nothing
    step.transaction.unanswered = unanswered
  }

  /// Makes a heartbeat due after the next sync.
  mutating func beatSoon(_ step: inout Step) {
    unanswered = .since(-Self.heartbeatWait)
    step.transaction.unanswered = unanswered
  }

  /// After a sync that left nothing to do.
  mutating func beat(
    at now: Moment, _ step: inout Step, _ entropy: inout some Entropy
  ) throws {
    guard mayCommit, refusal == nil, settling.isEmpty, let keyring,
      case .since(let first) = unanswered, serverFrontier.reaches(frontier)
    else { return }
    guard now.wall >= first else {
      // The clock was set back.
      unanswered = .nothing
      return noteUnanswered(at: now, &step)
    }
    guard now.wall - first >= Self.heartbeatWait else { return }
    try commit(Self.nothing, as: .heartbeat, with: keyring, &step, &entropy)
    run(.wanted, at: now, &step, &entropy)
  }

  /// What every device of the account is known to hold, by the newest commit of each; nil where one
  /// of them never committed, or its newest commit is no longer at hand.
  ///
  /// A device that is silent keeps everything from being given up until it speaks or is revoked:
  /// what it may still write would otherwise stand beside contexts whose content is gone.
  public func coveredByAll(
    newest: (DeviceID, Head) throws -> EnvelopeHeader?
  ) rethrows -> Frontier? {
    var covered: Frontier?
    for device in membership.active where membership.replacements[device] == nil {
      guard let head = frontier[device] else { return nil }
      var known = frontier
      if device != self.device {
        guard let header = try newest(device, head) else { return nil }
        known = header.dependencies
        known[device] = head
      }
      covered = covered.map { $0.lowered(to: known) } ?? known
    }
    return covered
  }
}

extension Frontier {
  /// What both hold: the lesser of the two for each device.
  fileprivate func lowered(to other: Frontier) -> Frontier {
    var lowered = Frontier()
    for (device, head) in heads {
      guard let theirs = other[device] else { continue }
      lowered[device] = head.sequence <= theirs.sequence ? head : theirs
    }
    return lowered
  }
}
