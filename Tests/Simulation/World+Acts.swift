import Sync
import Vault
import Wire

/// What persons do, and what happens to their machines meanwhile.
extension World {
  func act(_ device: SimulatedDevice) throws {
    guard !device.isGone else { return }
    try befall(device)
    guard device.isUp, !device.isLocked else { return }
    if entropy.chance(weather.locks) { return try lock(device) }
    try edit(device)
  }

  /// Disasters and nuisances.
  private func befall(_ device: SimulatedDevice) throws {
    if entropy.chance(weather.serverRestores), server.past.count > 1 {
      try restoreServer(entropy.pick(0...(server.past.count - 1)))
    }
    if disasters < weather.disasters, devices.count > 2, entropy.chance(weather.losses) {
      disasters += 1
      return try destroy(device)
    }
    if disasters < weather.disasters, entropy.chance(weather.clientRestores) {
      disasters += 1
      return try restore(device, isKnown: entropy.chance(weather.salvages))
    }
    if disasters < weather.disasters, entropy.chance(weather.clones) {
      disasters += 1
      return try clone(device)
    }
    if disasters < weather.disasters, entropy.chance(weather.revocations),
      let other = entropy.pick(devices)
    {
      try revoke(other, by: device)
    }
    if entropy.chance(weather.deletions) { try deleteAccount(by: device) }
    if entropy.chance(weather.renamings), let other = entropy.pick(devices) {
      try rename(other, by: device)
    }
    if entropy.chance(weather.months), isEachEpochOnServer { try passMonth() }
    if entropy.chance(weather.partitions) {
      record("\(device.number) cut off")
      count(.cutOff)
      cutOff[device.number] = entropy.chance(50)
      schedule(.mend(device), at: now + Int64(entropy.pick(100...8000)))
    }
    if entropy.chance(weather.clockJumps) { changeClock(of: device) }
    if device.isUp, device.connection != nil, entropy.chance(weather.pushBreaks) {
      try disconnect(device)
    }
    if entropy.chance(weather.floods) { try flood(device) }
    if entropy.chance(weather.lies) { try lie(to: device) }
    if entropy.chance(weather.laterPrograms) { try runLaterProgram(on: device) }
  }

  func destroy(_ device: SimulatedDevice) throws {
    device.isGone = true
    guard !isSomebodyUnknown else {
      device.isGone = false
      return
    }
    record("\(device.number) destroyed")
    count(.deviceLost)
    device.isUp = false
    device.pending = nil
    hangUp(device)
    try settleClaims()
  }

  /// A device gets an earlier state of its disk; a salvaged store knows that it may lack something.
  func restore(_ device: SimulatedDevice, isKnown: Bool) throws {
    guard !device.past.isEmpty else { return }
    let number = entropy.pick(0...(device.past.count - 1))
    guard !forgetsDevices(device.past[number], of: device) else { return }
    count(.deviceRestored)
    record("\(device.number) restored to \(number) of \(device.past.count)")
    device.isUp = false
    device.pending = nil
    device.form = nil
    hangUp(device)
    var contents = device.past[number]
    if isKnown { contents.state.isUncertain = true }
    device.disk.restore(contents)
    setBack(device)
    try settleClaims()
    schedule(.start(device), at: now + Int64(entropy.pick(1...2000)))
  }

  private func forgetsDevices(_ contents: Disk.Contents, of device: SimulatedDevice) -> Bool {
    let former = device.disk
    defer { device.disk = former }
    device.disk.restore(contents)
    return isSomebodyUnknown
  }

  /// Whether somebody's identity is known to nobody else, the server included: see
  /// ``restoreServer(_:)``.
  private var isSomebodyUnknown: Bool {
    let known = Set(serverChain.compactMap { $0.newDevice?.device })
    return devices.contains {
      !$0.isGone && !known.contains($0.disk.current.device) && !isKnownToAnother($0)
    }
  }

  /// A month in which the server goes on without an epoch prunes what that cuts off: a person is
  /// needed then, see ``Scenario/prunedCut(_:)``.
  private var isEachEpochOnServer: Bool {
    let chain = Set(serverChain)
    return devices.allSatisfy { device in
      device.isGone
        || device.disk.current.state.records.allSatisfy {
          $0.kind != .rotateEpoch || chain.contains($0)
        }
    }
  }

  /// A second machine starts from a copy of the disk; both live.
  func clone(_ device: SimulatedDevice) throws {
    guard !device.past.isEmpty else { return }
    record("\(device.number) cloned")
    count(.clone)
    let twin = try SimulatedDevice(
      number: devices.count, keyring: device.keyring, records: [], skew: device.skew + 10_000,
      seed: entropy.next(), bug: bug, bias: device.bias)
    twin.keyrings = device.keyrings
    twin.disk.restore(device.disk.lasting)
    setBack(twin)
    devices.append(twin)
    try start(twin)
  }

  private func setBack(_ device: SimulatedDevice) {
    device.held = device.disk.current.state.frontier
    device.memberCount = device.disk.current.state.records.count
    device.promised = []
    device.typed = [:]
  }

  /// Everybody's calendar goes on by a month, and the server forgets what it may.
  func passMonth() throws {
    record("a month")
    calendar += 31 * 86_400_000
    for device in devices { device.skew += 31 * 86_400_000 }
    let held = server.commits(of: family.account).count
    try server.prune(now: wall)
    if server.commits(of: family.account).count < held { count(.serverPruned) }
    try checkPruning()
  }

  private func changeClock(of device: SimulatedDevice) {
    let decade = 10 * 365 * 86_400_000
    switch entropy.pick(0...3) {
    case 0: device.skew = Int64(entropy.pick(-decade...decade))
    case 1: device.skew += Int64(entropy.pick(-7_200_000...7_200_000))
    case 2: device.frozenAt = device.moment(now).wall
    default: device.frozenAt = nil
    }
    count(.wrongClock)
    record("\(device.number) clock \(device.skew)")
  }

  // MARK: edits

  private func text(of device: SimulatedDevice) -> String {
    texts += 1
    return "text \(texts) of \(device.number)"
  }

  private func edit(_ device: SimulatedDevice) throws {
    let contexts = device.core.replica.contexts
    guard let context = entropy.pick(contexts), contexts.count >= 3 || !entropy.chance(40) else {
      return try create(on: device)
    }
    guard let attribute = entropy.pick(context.attributes) else {
      return try save([.addAttribute(context.id, newAttribute(device))], by: device)
    }
    let (id, value) = (context.id, attribute.id)
    if entropy.chance(8) { return try undo(on: device) }
    switch entropy.pick(0...99) {
    case 0..<40:
      try set(
        value, in: id, of: device,
        immediately: entropy.chance(30))
    case 40..<60: try openForm(of: device, context: id, attribute: attribute)
    case 60..<66: try save([.renameContext(id, name: text(of: device))], by: device)
    case 66..<71: try save([.deleteContext(id)], by: device)
    case 71..<75:
      let trash = device.core.replica.trash(now: device.moment(now).wall)
      guard let deleted = entropy.pick(trash) else { return }
      restored.insert(deleted.id)
      try save([.restoreContext(deleted.id)], by: device)
    case 75..<80: try save([.addAttribute(id, newAttribute(device))], by: device)
    case 80..<83: try save([.removeAttribute(id, value, base: nil)], by: device)
    case 83..<86:
      try save(
        [
          .describeAttribute(
            id, value, label: text(of: device), kind: .username, isConcealed: false)
        ], by: device)
    case 86..<94:
      if let label = entropy.pick(attribute.labels) {
        return try save([.resolveLabel(id, value, keep: label.id)], by: device)
      }
      guard let head = entropy.pick(attribute.heads), attribute.heads.count > 1 else { return }
      rewritten.insert(value)
      try save([.resolve(id, value, keep: head.id)], by: device)
    default:
      guard attribute.hasConflict else { return }
      rewritten.insert(value)
      try save([.keepBoth(id, value)], by: device)
    }
  }

  private func newAttribute(_ device: SimulatedDevice) -> Edit.NewAttribute {
    Edit.NewAttribute(label: "password", kind: .password, text: text(of: device))
  }

  func create(on device: SimulatedDevice) throws {
    let attributes = ["username", "password"].map {
      Edit.NewAttribute(label: $0, kind: .text, text: text(of: device))
    }
    try save(
      [.createContext(name: text(of: device), kind: .account, attributes: attributes)], by: device)
  }

  func set(
    _ attribute: AttributeID, in context: ContextID, of device: SimulatedDevice,
    immediately: Bool = false
  ) throws {
    let text = text(of: device)
    try save(
      [.setValue(context, attribute, text: text, base: nil)], immediately: immediately, by: device,
      promising: SimulatedDevice.Promise(
        context: context, attribute: attribute, text: text, base: nil))
  }

  func openForm(
    of device: SimulatedDevice, context: ContextID, attribute: AttributeRecord
  ) throws {
    guard device.form == nil else { return }
    let form = SimulatedDevice.Form(
      context: context, attribute: attribute.id, base: attribute.heads.map(\.id),
      draft: device.entropy.identifier())
    device.form = form
    if bug != .forgetOpenForms { try take(.formOpened(context), by: device) }
    try type(into: form, on: device)
    let saved = now + Int64(entropy.pick(50...3000))
    schedule(.saveForm(device), at: saved)
    schedule(.closeForm(device), at: saved + Int64(entropy.pick(0...1500)))
  }

  func saveForm(of device: SimulatedDevice) throws {
    guard device.isUp, !device.isLocked, let form = device.form else { return }
    let text = text(of: device)
    let base = bug == .forgetWhatWasSeen ? nil : form.base
    try save(
      [.setValue(form.context, form.attribute, text: text, base: base)], by: device,
      promising: SimulatedDevice.Promise(
        context: form.context, attribute: form.attribute, text: text, base: form.base))
    try dropDraft(form.draft, on: device)
  }

  func closeForm(of device: SimulatedDevice) throws {
    guard device.isUp, let form = device.form else { return }
    device.form = nil
    if bug != .forgetOpenForms { try take(.formClosed(form.context), by: device) }
    try dropDraft(form.draft, on: device)
  }

  func save(
    _ edits: [Edit], immediately: Bool = false, by device: SimulatedDevice,
    promising promise: SimulatedDevice.Promise? = nil
  ) throws {
    record("\(device.number) will \(edits.map { String("\($0)".prefix(140)) })")
    if bug == .acknowledgeBeforeWrite, let promise { device.promised.append(promise) }
    do {
      try take(.saved(edits, immediately: immediately), by: device)
      if device.isUp, let promise, bug != .acknowledgeBeforeWrite {
        device.promised.append(promise)
      }
      if device.isUp { try checkLastPromise(of: device) }
    } catch let error as EditError {
      // What it was about has gone meanwhile.
      record("\(device.number) \(error)")
    } catch is Disk.Fault {
      // The person is told, and nothing was promised.
    }
  }
}
