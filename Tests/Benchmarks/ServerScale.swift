import Foundation
import Glibc
import Synchronization
import Vault
import Wire

/// A server with many devices: commits a second, and how long a synchronisation takes at a steady
/// load.
final class ServerScale: Measurement {
  let samples = 1
  private static let devicesEach = 4
  private static let threads = 8

  private let stage: Stage
  private let accounts: Int
  /// How long each of the three loads lasts.
  private let seconds: Double
  private var server: Stage.Server?
  private var fleet: [[FleetMember]] = []
  private var founding = Stopwatch()
  private var rates: [String: [Double]] = [:]
  private var latencies: [Double] = []
  private var memory: [Double] = []

  init(stage: Stage, accounts: Int, seconds: Double) {
    self.stage = stage
    self.accounts = accounts
    self.seconds = seconds
  }

  private var devices: Int { accounts * Self.devicesEach }
  var title: String { "a server with \(devices) devices" }

  // MARK: the fleet

  func prepare() throws {
    let server = try stage.startServer("scale-server", push: false)
    self.server = server
    let start = ContinuousClock.now
    let port = server.port
    fleet = try Self.inThreads(Array(0..<accounts)) { number in
      try Self.found(number, port: port)
    }
    founding.note(from: start, to: .now)
  }

  /// An account with its devices, as pairing makes them but for the mailbox. Takes a hash.
  private static func found(_ number: Int, port: UInt16) throws -> [FleetMember] {
    var entropy = SodiumEntropy()
    let passphrase = try Passphrase(utf8: Array("correct horse battery staple".utf8))
    let account = try Enrolment.createAccount(
      name: "ann-\(number)", device: DeviceName(name: "home pc", platform: "linux"),
      passphrase: passphrase, strength: .floor, entropy: &entropy)
    var chain = Membership(account: account.keyring.account)
    try chain.append(account.genesis)
    func connection(_ place: Int) throws -> PlainConnection {
      try PlainConnection(port: port, source: number * devicesEach + place)
    }
    let first = FleetMember(
      keyring: account.keyring, authenticationKey: account.authenticationKey,
      connection: try connection(0))
    let _: AccountAnswer = try first.connection.post(
      Route.accounts, account.request(invite: nil))
    try first.signIn()
    var members = [first]
    for place in 1..<devicesEach {
      let code = try PairingCode(
        server: "http://127.0.0.1:\(port)", pin: nil, for: account.keyring, entropy: &entropy)
      let joining = try JoiningDevice.make(
        code: code, device: DeviceName(name: "device \(place)", platform: "linux"),
        entropy: &entropy)
      let offer = try PairingOffer.open(letter: joining.offerLetter, code: code)
      let record = try account.keyring.admit(
        offer, membership: chain, dependencies: Frontier(), entropy: &entropy)
      try first.append(record, after: chain.head)
      try chain.append(record)
      let joined = try joining.accept(
        answer: try account.keyring.answer(
          offer, code: code, frontier: Frontier(), memberHead: chain.head, entropy: &entropy))
      let member = FleetMember(
        keyring: joined.keyring, authenticationKey: joined.authenticationKey,
        connection: try connection(place))
      try member.signIn()
      members.append(member)
    }
    for member in members { member.memberHead = chain.head }
    return members
  }

  /// Whatever the server says of a new account.
  private struct AccountAnswer: Decodable {}

  // MARK: loads

  func sample() throws {
    try commits("single", by: fleet.flatMap { $0 }, perRequest: 1)
    try catchUp()
    try steady()
    try commits("batch", by: fleet.compactMap(\.first), perRequest: 100)
  }

  /// Requests a device may send at once: what the server lets a device do before it slows it down,
  /// less some for the rest of the run.
  private static let requestsAtOnce = 30

  /// As many commits as the server takes, sealed beforehand.
  private func commits(_ name: String, by members: [FleetMember], perRequest: Int) throws {
    let wanted = Int(seconds * 600) / perRequest / members.count + 1
    let requests = min(wanted, Self.requestsAtOnce)
    let senders = try Self.inThreads(members) { member in
      (member, try (0..<requests).map { _ in try member.seal(perRequest) })
    }
    let start = ContinuousClock.now
    _ = try Self.inThreads(senders) { member, batches in
      for batch in batches { try member.sync(batch) }
    }
    let took = (ContinuousClock.now - start).milliseconds / 1000
    rates[name] = [Double(senders.count * requests * perRequest) / took]
  }

  /// Every device fetches what the others have sent: what it waits for after that is a change, not
  /// the beginning.
  private func catchUp() throws {
    _ = try Self.inThreads(fleet.flatMap { $0 }) { member in
      while try member.sync() > 0 {}
    }
  }

  /// What 1,000 devices ask for without any push: each every 25 s.
  private static let syncsPerSecond = 40.0

  /// One synchronisation after the other at fixed times, whether or not the one before has ended:
  /// every fourth brings a commit, the others fetch.
  private func steady() throws {
    let rate = Self.syncsPerSecond
    let lanes = Self.threads
    let all = fleet.flatMap { $0 }
    let shares = (0..<lanes).map { lane in
      all.enumerated().filter { ($0.offset / Self.devicesEach) % lanes == lane }.map(\.element)
    }
    let start = ContinuousClock.now + .milliseconds(50)
    let rounds = Int(seconds * rate / Double(lanes))
    let measured = try Self.inThreads(Array(shares.enumerated())) { lane, members in
      try (0..<rounds).map { round in
        let member = members[round % members.count]
        let envelopes = round.isMultiple(of: 4) ? try member.seal(1) : []
        let due = start + .seconds(Double(round * lanes + lane) / rate)
        let wait = (due - .now).milliseconds
        if wait > 0 { usleep(UInt32(wait * 1000)) }
        try member.sync(envelopes)
        return (ContinuousClock.now - due).milliseconds
      }
    }
    latencies = measured.flatMap { $0 }
  }

  func finish() throws {
    if let server { memory = [try server.child.memory("VmRSS")] }
    fleet = []
  }

  var rows: [Row] {
    let sorted = latencies.sorted()
    let p99 = Row.percentile(99, of: sorted).map { [$0] } ?? []
    return [
      Row(
        "fleet", "\(devices) devices: made, a hash for each account", .milliseconds,
        founding.milliseconds, of: 1),
      Row(
        "commits-single", "\(devices) devices: commits, one a request", .perSecond,
        rates["single"] ?? [], of: 1),
      Row(
        "commits-batch", "\(devices) devices: commits, 100 a request", .perSecond,
        rates["batch"] ?? [], of: 1),
      Row(
        "sync", "\(devices) devices: a sync, 40 a second", .milliseconds, latencies, of: 1),
      Row("sync-p99", "\(devices) devices: the same, p99", .milliseconds, p99, of: 1),
      Row("memory-scale", "\(devices) devices: memory of higginsd", .kibibytes, memory, of: 1),
    ]
  }

  /// Does the work of each element on one of ``threads``; the results in the elements' order. They
  /// are threads of their own, since most of them wait for an answer or for their time: Dispatch
  /// would run as many at once as there are processors.
  private static func inThreads<Element: Sendable, Result: Sendable>(
    _ elements: [Element], _ work: @escaping @Sendable (Element) throws -> Result
  ) throws -> [Result] {
    let state = Mutex(Progress<Result>())
    let group = DispatchGroup()
    for _ in 0..<threads {
      group.enter()
      Thread.detachNewThread {
        defer { group.leave() }
        while let place = state.withLock({ (state) -> Int? in
          guard state.failure == nil, state.next < elements.count else { return nil }
          defer { state.next += 1 }
          return state.next
        }) {
          do {
            let result = try work(elements[place])
            state.withLock { $0.results[place] = result }
          } catch {
            state.withLock { $0.failure = error }
          }
        }
      }
    }
    group.wait()
    return try state.withLock { state in
      if let failure = state.failure { throw failure }
      return elements.indices.compactMap { state.results[$0] }
    }
  }
}

/// How far work that several threads share has come.
private struct Progress<Result: Sendable> {
  var next = 0
  var results: [Int: Result] = [:]
  var failure: (any Error)?
}
