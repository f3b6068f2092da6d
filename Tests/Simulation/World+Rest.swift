import AttributeServer
import Sync
import Vault
import Wire

/// Checks when everything has come to rest.
extension World {
  private var living: [SimulatedDevice] { devices.filter { !$0.isGone } }

  func checkRest() throws {
    try setStrandedAside()
    // Several disasters may have left nobody.
    guard !living.isEmpty, try !checkEnd() else { return }
    try checkMembership()
    let held = server.frontier(of: family.account)
    for device in living {
      try checkArrival(of: device, held: held)
      try checkClaims(on: device)
      try checkAgainstShadow(device)
    }
    if living[0].core.replica.conflictCount > 0 { count(.conflict) }
    let attributes = living[0].core.replica.contexts.flatMap(\.attributes)
    if attributes.contains(where: \.hasLabelConflict) { count(.labelConflict) }
    try checkLaterPrograms()
    let faces = Set(living.map { Self.face(of: $0.core.replica) })
    guard faces.count == 1 else {
      for device in living {
        for context in device.core.replica.contexts { record("\(device.number) shows \(context)") }
      }
      throw Violation(.s3, "devices show different contexts")
    }
    try checkPromisesEverywhere()
    for device in living { try checkDrafts(of: device) }
    try checkNothingTypedIsCommitted()
    try checkWhatWasSeen()
    try checkRepetition()
  }

  /// S3 and S9: nothing waits, everybody holds what the server holds.
  private func checkArrival(of device: SimulatedDevice, held: Frontier) throws {
    let core = device.core
    for alarm in core.alarms { record("\(device.number) says \(alarm.text)") }
    guard core.waiting == 0 else {
      throw Violation(.s9, "\(core.waiting) changes wait on \(device.number)")
    }
    guard core.frontier == held else {
      throw Violation(.s3, "\(device.number) and the server hold different commits")
    }
    guard core.serverFrontier == held else {
      throw Violation(.s3, "\(device.number) is wrong about what the server holds")
    }
    if !mayAlarm, let alarm = core.alarms.first {
      throw Violation(.s11, "a false alarm: \(alarm.text)")
    }
  }

  /// S1: what was written for good is there.
  private func checkClaims(on device: SimulatedDevice) throws {
    let held = shadow.versions(behind: device.core.frontier)
    guard mustHold.isSubset(of: held) else {
      let lost = mustHold.subtracting(held).count
      throw Violation(.s1, "\(lost) versions are lost on \(device.number)")
    }
  }

  /// S2 and S3 by the independent model: history, heads and what is shown.
  private func checkAgainstShadow(_ device: SimulatedDevice) throws {
    let fold = shadow.fold(shadow.versions(behind: device.core.frontier))
    let replica = device.core.replica
    for (place, all) in fold.all where place.register == "value" {
      guard let attribute = place.attribute else { continue }
      let history = replica.history(of: attribute, in: place.context)
      guard Set(history.map(\.id)) == all, history.count == all.count else {
        throw Violation(.s1, "\(device.number) has another history than was written")
      }
      let heads = Set(history.filter(\.isHead).map(\.id))
      guard heads == fold.heads[place] ?? [] || isGivenUp(place.context, on: device) else {
        throw Violation(.s2, "\(device.number) hides or shows another value than it should")
      }
      if let record = replica[place.context]?.attributes.first(where: { $0.id == attribute }),
        record.text != shadow.shown(of: heads)?.content?.text
      {
        throw Violation(.s3, "\(device.number) shows another value first")
      }
    }
    try checkLabels(on: device, fold)
    for context in Set(fold.all.keys.map(\.context)).sorted()
    where shadow.isThere(context, in: fold) != (replica[context] != nil) {
      for (place, all) in fold.all where place.context == context {
        for id in all {
          record(
            "\(place.register) \(place.attribute.map { "\($0)" } ?? "") "
              + "head \(fold.heads[place]?.contains(id) == true) "
              + "\(shadow.versions[id].map { "\($0)" } ?? "")")
        }
      }
      throw Violation(.s2, "\(device.number) shows a context that is deleted, or hides one")
    }
  }

  /// Whether it has left the trash: a snapshot may have kept the ids of its versions alone, which
  /// hide them.
  private func isGivenUp(_ context: ContextID, on device: SimulatedDevice) -> Bool {
    let replica = device.core.replica
    let trash = replica.trash(now: device.moment(now).wall)
    return replica[context] == nil && !trash.contains { $0.id == context }
  }

  /// S2: every label that devices gave an attribute at once is offered.
  private func checkLabels(on device: SimulatedDevice, _ fold: Shadow.Fold) throws {
    for context in device.core.replica.contexts {
      for attribute in context.attributes {
        let place = Shadow.Place(context: context.id, attribute: attribute.id, register: "meta")
        let heads = fold.heads[place] ?? []
        let labels = Set(heads.map { shadow.versions[$0]?.content?.label })
        let offered = Set(attribute.labels.map(\.id))
        guard offered == (labels.count > 1 ? heads : []) else {
          throw Violation(.s2, "\(device.number) hides a label that nobody chose against")
        }
      }
    }
  }

  /// S1 and S7: each promise that no disaster took stands once on every device.
  private func checkPromisesEverywhere() throws {
    for author in devices where !author.isGone && !setsBack {
      for promise in author.promised {
        for device in living { try checkHistory(of: device, holds: promise) }
      }
    }
  }

  /// S2: a version hides only what stands behind its commit, and of a form's save only what stood
  /// on the screen when the form was opened.
  private func checkWhatWasSeen() throws {
    for commit in shadow.commits.values {
      let hidden = Set(commit.versions.flatMap(\.supersedes))
      guard !hidden.isEmpty else { continue }
      var behind = commit.header.dependencies
      behind[commit.header.device] = Head(
        sequence: commit.header.sequence, hash: commit.header.previous)
      let seen = shadow.versions(behind: behind).union(commit.versions.map(\.id))
      guard hidden.isSubset(of: seen) else {
        let id = hidden.subtracting(seen).sorted()[0]
        throw Violation(
          .s2,
          "commit \(commit.header.sequence) of \(commit.header.device) hides version \(id) of "
            + "\(shadow.authors[id].map { "\($0)" } ?? "nobody"), which it cannot have seen")
      }
    }
    let bases = devices.flatMap(\.promised).compactMap { promise in
      isRewritten(promise) ? nil : promise.base.map { (promise.text, Set($0)) }
    }
    for (text, base) in bases {
      for version in shadow.versions.values where version.content?.text == text {
        guard base.isSuperset(of: version.supersedes) else {
          throw Violation(.s2, "\(text) hides a value that came after its form was opened")
        }
      }
    }
  }

  /// S7: everything sent once more changes nothing.
  private func checkRepetition() throws {
    guard let device = living.first else { return }
    let before = server.frontier(of: family.account)
    let floor = device.disk.current.state.floor
    let log = device.disk.current.log.filter {
      $0.header.sequence > floor.sequence(of: $0.header.device)
    }
    let request = SyncRequest(
      generation: nil, frontier: device.core.frontier, memberHead: device.core.membership.head,
      frames: log.prefix(20).map { Blob($0.bytes) })
    let response = try server.sync(
      request, by: Caller(account: family.account, device: device.keyring.device))
    guard response.outcomes.allSatisfy({ $0.status == .known }),
      server.frontier(of: family.account) == before
    else { throw Violation(.s7, "a commit sent twice was not taken for known") }
  }
}
