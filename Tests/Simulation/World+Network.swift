import AttributeServer
import Sync
import Vault
import Wire

/// Requests and answers between the devices and the Attribute Server.
extension World {
  /// 300 requests of one device: forty edits with their retries in any weather need half of it.
  static let requestBudget = 300

  func send(_ plan: SyncPlan, from device: SimulatedDevice) throws {
    requests += 1
    device.requests += 1
    guard device.requests <= Self.requestBudget else {
      throw Violation(.s9, "device \(device.number) asks again and again")
    }
    guard !device.core.isEnded else {
      throw Violation(.s9, "device \(device.number) asks for a deleted account")
    }
    let id = requests
    device.pending = id
    let request = try self.request(for: plan, of: device)
    for frame in request.frames {
      let envelope = try Envelope(bytes: frame.bytes)
      if envelope.header.device == device.keyring.device, !setsBack {
        try shadow.sent(envelope)
      }
    }
    if let vanishes = cutOff[device.number] {
      let failure = ServiceFailure.unreachable(reason: "no route")
      return schedule(.failure(device, id: id, failure), at: now + (vanishes ? 5000 : 1))
    }
    if entropy.chance(weather.problems) {
      return schedule(.failure(device, id: id, .refused(passingProblem())), at: now + delay())
    }
    let message = try Message.sent(request, through: weather, &entropy)
    if entropy.chance(weather.loss) {
      schedule(.failure(device, id: id, .unreachable(reason: "timed out")), at: now + 5000)
    } else {
      schedule(.request(device, id: id, message, isCopy: false), at: now + delay())
    }
    if entropy.chance(weather.duplication) {
      schedule(.request(device, id: id, message, isCopy: true), at: now + 2 * delay())
    }
  }

  private func request(for plan: SyncPlan, of device: SimulatedDevice) throws -> SyncRequest {
    var frames: [Envelope] = []
    if var beyond = plan.pushBeyond {
      if bug == .sendFromOneTooLate {
        for (author, head) in device.core.frontier.heads
        where head.sequence > beyond.sequence(of: author) {
          beyond[author] = Head(sequence: beyond.sequence(of: author) + 1, hash: head.hash)
        }
      }
      frames = device.disk.commits(beyond: beyond, count: Limits.framesPerSync)
    }
    if bug == .sendOwnCommitsOnly { frames.removeAll { $0.header.device != device.keyring.device } }
    if bug == .sendNewestOnly { frames = Array(frames.suffix(1)) }
    var request = plan.request(frames: frames)
    if let bytes = weather.pageBytes { request.maxBytes = bytes }
    if bug == .pullFromServerFrontier { request.frontier = device.core.serverFrontier }
    return request
  }

  /// A problem that passes, as a busy server answers it or one whose token has expired.
  private func passingProblem() -> Problem {
    let codes: [Problem.Code] = [
      .rateLimited, .authenticationExpired, .storageFull, .readOnlyMaintenance, .internalFailure,
      .draining, .protocolTooOld, .protocolTooNew,
    ]
    let code = codes[entropy.pick(0...(codes.count - 1))]
    if [.protocolTooOld, .protocolTooNew].contains(code) { count(.otherProtocol) }
    return Problem(code)
  }

  func delay() -> Int64 {
    Int64(entropy.chance(weather.slowness) ? entropy.pick(100...4000) : entropy.pick(1...30))
  }

  func serve(
    _ message: Message<SyncRequest>, from device: SimulatedDevice, id: Int, isCopy: Bool
  ) throws {
    serves += 1
    let planned = serverStop == serves ? serverStopsBefore : nil
    if planned != nil || entropy.chance(weather.serverRestarts) {
      // It stops before or after it took the request; either way nobody hears an answer.
      if !(planned ?? entropy.chance(50)), let request = message.read() {
        _ = try? sync(request, of: device)
      }
      return try restartServer(hanging: isCopy ? nil : (device, id))
    }
    guard let request = message.read() else {
      if isCopy { return }
      return schedule(
        .failure(device, id: id, .refused(Problem(.malformed))), at: now + delay())
    }
    let response: SyncResponse
    do throws(Problem) {
      response = try sync(request, of: device)
    } catch {
      if isCopy { return }
      return schedule(.failure(device, id: id, .refused(error)), at: now + delay())
    }
    try check(outcomes: response, to: request, of: device)
    record("server \(device.number) \(response.outcomes.count) \(response.frames.count)")
    for problem in response.outcomes.compactMap(\.problem) {
      record("server \(device.number) refuses \(problem.code.rawValue): \(problem.detail ?? "")")
    }
    for signal in server.takeSignals() { publish(signal) }
    for signal in otherView?.takeSignals() ?? [] { publish(signal) }
    if isCopy { return }
    try answer(response, to: request, of: device, id: id)
  }

  /// By the history that the device is shown.
  private func sync(
    _ request: SyncRequest, of device: SimulatedDevice
  ) throws(Problem) -> SyncResponse {
    guard misled.contains(device.number), var other = otherView else {
      return try server.sync(request, by: caller(device))
    }
    defer { otherView = other }
    return try other.sync(request, by: caller(device))
  }

  func caller(_ device: SimulatedDevice) -> Caller {
    Caller(account: family.account, device: device.keyring.device)
  }

  private func answer(
    _ response: SyncResponse, to request: SyncRequest, of device: SimulatedDevice, id: Int
  ) throws {
    var response = response
    var isHostile = false
    if let move = try hostile?.distort(
      response, to: request, of: device.keyring.device, &entropy)
    {
      response = move
      isHostile = true
    }
    if entropy.chance(weather.loss) {
      return schedule(.failure(device, id: id, .unreachable(reason: "timed out")), at: now + 5000)
    }
    if isHostile, device.requestsSinceHostility == nil {
      device.requestsSinceHostility = 0
      record("hostile to \(device.number)")
    }
    let message = try Message.sent(response, through: weather, &entropy)
    schedule(.outcome(device, id: id, message), at: now + delay())
  }

  func deliver(
    _ message: Message<SyncResponse>, to device: SimulatedDevice, id: Int
  ) throws {
    guard device.isUp, device.pending == id else { return }
    device.pending = nil
    guard let response = message.read() else {
      return try fail(.unintelligible("the answer does not read"), of: device)
    }
    if bug == .believeRevoked { try believeAnyList(shownBy: response, to: device) }
    guard device.isUp else { return }
    let held = device.core.frontier
    let believed = distort(response, for: device)
    let places = device.core.places(namedBy: believed)
    let digests = bug == .compareHeadsOnly ? [:] : device.disk.digests(at: places)
    try take(.answered(believed, digests: digests), by: device)
    if bug == .storeWithoutDependencies { try storeRest(of: believed, beyond: held, on: device) }
    if device.requestsSinceHostility != nil { try checkDetection(by: device) }
  }

  /// What a device with a planted bug makes of an answer.
  private func distort(_ response: SyncResponse, for device: SimulatedDevice) -> SyncResponse {
    var response = response
    let own = device.keyring.device
    switch bug {
    case .ignoreMembership, .believeIntruders:
      guard bug == .ignoreMembership || device.number == 0 else { break }
      response.membership = []
      response.memberHead = device.core.membership.head
    case .takeRefusedForSent:
      for number in response.outcomes.indices where response.outcomes[number].status == .refused {
        response.outcomes[number] = SyncResponse.Outcome(status: .accepted)
      }
      if let head = device.core.frontier[own] { response.serverFrontier[own] = head }
    case .keepOldServerFrontier:
      for (author, head) in device.core.serverFrontier.heads
      where head.sequence > response.serverFrontier.sequence(of: author) {
        response.serverFrontier[author] = head
      }
    default: break
    }
    return response
  }

  /// The bug: what the core did not believe is stored all the same.
  private func storeRest(
    of response: SyncResponse, beyond held: Frontier, on device: SimulatedDevice
  ) throws {
    guard device.isUp, device.core.frontier == held, !response.frames.isEmpty else { return }
    var transaction = Transaction()
    transaction.commits = response.frames.compactMap { try? Envelope(bytes: $0.bytes) }
      .filter { $0.header.sequence > held.sequence(of: $0.header.device) }
    guard !transaction.isEmpty else { return }
    try device.disk.write(transaction)
    try device.disk.sync()
    try note(durable: transaction, of: device)
  }

  // MARK: what becomes of the server

  func isKnownToAnother(_ device: SimulatedDevice) -> Bool {
    var own = device.disk.current.device
    // The answer that it has another identity by now may be on its way.
    if let next = device.successors[own]?.keyring.device,
      serverChain.contains(where: { $0.newDevice?.device == next })
    {
      own = next
    }
    guard !family.keyrings.contains(where: { $0.device == own }) else { return true }
    func holdsRecord(_ other: SimulatedDevice) -> Bool {
      other.disk.current.state.records.contains {
        $0.newDevice?.device == own
      }
    }
    // Somebody whom the server always knows, and who will be there.
    return devices.contains { other in
      let isFirst = family.keyrings.contains { $0.device == other.disk.current.device }
      return isFirst && !other.isGone && holdsRecord(other)
    }
  }

  func restartServer(hanging request: (device: SimulatedDevice, id: Int)?) throws {
    record("server restart")
    count(.serverRestart)
    if let request {
      schedule(
        .failure(request.device, id: request.id, .unreachable(reason: "connection reset")),
        at: now + 1)
    }
    // Signals are rows of the database: they are sent after the restart.
    for signal in server.takeSignals() { publish(signal) }
    try restartPush()
  }

  /// What the server does with a record that a device sends: its signal goes out at once.
  func append(_ request: MembershipRequest, by caller: Caller) throws {
    try server.append(request, by: caller)
    for signal in server.takeSignals() { publish(signal) }
  }

  /// Whether the author of each new epoch holds its record.
  private var epochsAreKnown: Bool {
    let records = server.store.memberRecords(from: 0, account: family.account)
      .compactMap { try? MembershipRecord(bytes: $0) }
    return records.filter { $0.kind == .rotateEpoch }.allSatisfy { record in
      devices.contains { device in
        !device.isGone && device.disk.lasting.state.records.contains(record)
          && record.signer == .device(device.disk.lasting.device)
      }
    }
  }

  /// Not to a state that forgets an identity of which only the device itself knows, or an epoch
  /// whose author does not know that it began: nobody could tell the server of it again. Such a
  /// device has to join anew.
  func restoreServer(_ state: Int) throws {
    guard devices.allSatisfy({ isKnownToAnother($0) }), epochsAreKnown else { return }
    count(.serverRestore)
    record("server restored to \(state) of \(server.past.count)")
    server.restore(state, isTold: entropy.chance(50))
    mayAlarm = true
    try settleClaims()
  }
}
