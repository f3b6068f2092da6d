import Access
import Foundation
import Hummingbird
import Logging
import Wire

/// Reads requests, asks the ledger and its neighbours, writes answers; decides nothing itself.
struct AttributeController: Sendable {
  let arguments: ServerArguments
  let authentication: Authentication
  let mailboxes: Mailboxes
  let outbox: SignalOutbox
  let ledger: Ledger
  private let devices: RateLimiter<DeviceID>
  private let chunks: RateLimiter<DeviceID>
  private let addresses: RateLimiter<String>
  /// One bucket for all that ask without a token.
  private let everybody: RateLimiter<Bool>
  private let guesses: GuessLimiter
  private let refusals: RefusalLog
  /// The proofs of devices, each spent by who has its key.
  private let proofs: RateLimiter<DeviceID>
  /// The tokens for adding a device, each account's spent by who has its passphrase and kit.
  private let recoveries: RateLimiter<AccountID>
  /// The letters of a pairing, spent by who has its code.
  private let letters: RateLimiter<RendezvousID>

  var database: ServerDatabase { arguments.database }

  init(
    arguments: ServerArguments, authentication: Authentication, mailboxes: Mailboxes,
    outbox: SignalOutbox
  ) {
    self.arguments = arguments
    self.authentication = authentication
    self.mailboxes = mailboxes
    self.outbox = outbox
    ledger = arguments.ledger
    devices = RateLimiter(arguments.limits.device)
    chunks = RateLimiter(arguments.limits.chunks)
    addresses = RateLimiter(arguments.limits.address)
    everybody = RateLimiter(arguments.limits.everybody)
    guesses = GuessLimiter(handle: arguments.limits.handle)
    refusals = RefusalLog(arguments.logger)
    proofs = RateLimiter(arguments.limits.device)
    recoveries = RateLimiter(arguments.limits.device)
    letters = RateLimiter(arguments.limits.device)
  }

  func addRoutes(to router: Router<ServerRequestContext>) {
    router.get("/v1/info") { _, _ in try info() }
    router.get("/.well-known/jwks.json") { _, _ in try JSONAnswer(authentication.issuer.keySet) }
    router.get("/v1/revocations") { try await revocations($0, $1) }
    router.get("/healthz") { _, _ in "ok\n" }
    router.post("/v1/accounts") { try await createAccount($0, $1) }
    router.get("/v1/accounts/:account/ending") { try await ending($0, $1) }
    router.post("/v1/auth/challenge") { try await challenge($0, $1) }
    router.post("/v1/auth/token") { try await token($0, $1) }
    router.post("/v1/slot") { try await slot($0, $1) }
    router.post("/v1/sync") { try await sync($0, $1) }
    router.post("/v1/membership") { try await appendMembership($0, $1) }
    router.post("/v1/farewell") { try await farewell($0, $1) }
    router.get("/v1/membership") { try await membership($0, $1) }
    addSnapshotRoutes(to: router)
    router.post("/v1/enrol/:rendezvous") { try await putLetter($0, $1) }
    router.get("/v1/enrol/:rendezvous/:box") { try await takeLetter($0, $1) }
  }

  private func info() throws -> JSONAnswer {
    try JSONAnswer(
      ServerInfo(
        instance: database.identity.instance, generation: database.identity.generation,
        push: arguments.push, registration: arguments.registration.rawValue,
        serverTime: arguments.clock.now()))
  }

  // MARK: Accounts and authentication

  private func createAccount(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    try limit(context)
    let body = try await request.read(AccountRequest.self, limitBytes: 64 * 1024)
    try Self.check(body)
    if try await !database.holds(body) {
      try ledger.requireWritable()
      let invite = try invite(for: body)
      try await database.createAccount(body, invite: invite, ledger: ledger)
      if let invite { arguments.invites.remove(invite) }
      arguments.logger.info("An account was created")
    }
    let caller = Caller(account: body.account, device: .zero, enrolling: true)
    return try JSONAnswer(
      try await database.run { [ledger] store throws(Problem) in
        try ledger.membership(after: nil, by: caller, in: store)
      }, status: .created)
  }

  private func invite(for request: AccountRequest) throws(Problem) -> Digest32? {
    switch arguments.registration {
    case .open: return nil
    case .closed: throw Problem(.inviteRequired, detail: "This server takes no new accounts.")
    case .invite:
      guard let code = request.invite, let hash = arguments.invites.hash(ofOpen: code) else {
        throw Problem(.inviteRequired)
      }
      return hash
    }
  }

  /// The sizes of what the server keeps without understanding it.
  private static func check(_ request: AccountRequest) throws(Problem) {
    guard request.slot.bytes.count <= Limits.slotBytes else {
      throw Problem(.tooLarge, detail: "A slot has at most \(Limits.slotBytes) bytes.")
    }
    let hashing = request.hashing
    guard request.loginKey.bytes.count == 32, hashing.salt.bytes.count == 16,
      (1...16_777_216).contains(hashing.memoryKibibytes), (1...1000).contains(hashing.passes)
    else { throw Problem(.malformed, detail: "A key, salt or number has a wrong size.") }
  }

  /// For anybody who knows the id: its devices have no way left to prove themselves.
  private func ending(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    try limit(context)
    guard let account = context.parameters.get("account").flatMap({ AccountID($0) }) else {
      throw Problem(.malformed, detail: "An account's id is 32 hexadecimal digits.")
    }
    return try JSONAnswer(
      try await database.run { [ledger] store throws(Problem) in
        try ledger.ending(of: account, in: store)
      })
  }

  /// For a device without a limit: the answer costs less than a refusal, is the same whether the
  /// device is known or not, and nobody else's flood may keep one from proving itself.
  private func challenge(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let body = try await request.read(ChallengeRequest.self, limitBytes: 4096)
    if body.device == nil { try limit(context) }
    return try JSONAnswer(try await authentication.challenge(body))
  }

  private func token(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let body = try await request.read(TokenRequest.self, limitBytes: 4096)
    let device: LedgerDevice
    do {
      device = try await authentication.device(provenBy: body)
    } catch {
      // Only failures count here: who proves itself is not held up by others.
      if error.code == .authenticationFailed { try limit(context) }
      throw error
    }
    try proofs.take(device.id, now: arguments.clock.uptime())
    return try JSONAnswer(
      try await authentication.tokens(for: device, audiences: body.audiences))
  }

  private func slot(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    try limit(context)
    let body = try await request.read(SlotRequest.self, limitBytes: 4096)
    let now = arguments.clock.uptime()
    try refusals.counting(now: now) { () throws(Problem) in
      try guesses.check(body.handle, from: context.source, now: now)
    }
    do {
      return try JSONAnswer(try await authentication.slot(body))
    } catch let problem as Problem where problem.code == .authenticationFailed {
      guesses.fail(body.handle, from: context.source, now: now)
      throw problem
    }
  }

  // MARK: Ledger

  private func sync(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request)
    let body = try await request.read(SyncRequest.self)
    let generation = database.identity.generation
    let response = try await database.run { [ledger] store throws(Problem) in
      try ledger.sync(body, by: caller, generation: generation, in: &store)
    }
    // Before the answer is encoded: the signal need not wait for that.
    if response.outcomes.contains(where: { $0.status == .accepted }) { outbox.wake() }
    return try JSONAnswer(response)
  }

  private func appendMembership(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request)
    let body = try await request.read(
      MembershipRequest.self, limitBytes: 2 * Limits.membershipRecordBytes)
    let response = try await database.run { [ledger] store throws(Problem) in
      try ledger.append(body, by: caller, in: &store)
    }
    outbox.wake()
    return try JSONAnswer(response)
  }

  private func farewell(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    let caller = try await caller(of: request)
    let body = try await request.read(Farewell.self, limitBytes: 4096)
    try await database.run { [ledger] store throws(Problem) in
      try ledger.keep(body, by: caller, in: &store)
    }
    return Response(status: .noContent)
  }

  private func membership(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> JSONAnswer {
    let caller = try await caller(of: request)
    var after: Digest32?
    if let text = request.uri.queryParameters["after"] {
      guard let digest = Base64URL.decode(String(text)).flatMap({ Digest32(bytes: $0) }) else {
        throw Problem(.malformed, detail: "`after` is a digest in base64url.")
      }
      after = digest
    }
    return try JSONAnswer(
      try await database.run { [ledger, after] store throws(Problem) in
        try ledger.membership(after: after, by: caller, in: store)
      })
  }

  // MARK: Pairing mailboxes

  private func putLetter(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    let rendezvous = try Self.rendezvous(of: context)
    let body = try await request.read(
      MailboxRequest.self, limitBytes: 2 * Limits.mailboxBytes)
    switch (body.box, body.letter) {
    case (.open, nil):
      let caller = try await caller(of: request)
      guard !caller.enrolling else { throw Problem(.authenticationFailed) }
      try await mailboxes.open(rendezvous, by: caller.account)
    case (.offer, let letter?), (.answer, let letter?):
      try await limit(context, at: rendezvous)
      try await mailboxes.put(letter.bytes, in: body.box, of: rendezvous)
    default:
      throw Problem(.malformed, detail: "A letter goes into the box `offer` or `answer`.")
    }
    return Response(status: .noContent)
  }

  private func takeLetter(
    _ request: Request, _ context: ServerRequestContext
  ) async throws -> Response {
    let rendezvous = try Self.rendezvous(of: context)
    try await limit(context, at: rendezvous)
    guard let box = context.parameters.get("box").flatMap(MailboxRequest.Box.init(rawValue:)),
      box != .open
    else { throw Problem(.notFound) }
    let seconds = request.uri.queryParameters["wait"].map { Int($0) ?? -1 } ?? 0
    guard seconds >= 0 else { throw Problem(.malformed, detail: "`wait` is a number of seconds.") }
    // Clamped before the conversion, so that no number of the caller's can overflow it.
    let wait = Duration.seconds(min(seconds, Int(Mailboxes.longestWait.components.seconds)))
    guard let letter = try await mailboxes.take(from: box, of: rendezvous, wait: wait) else {
      return Response(status: .noContent)
    }
    return try JSONAnswer(MailboxResponse(letter: Blob(letter)))
      .response(from: request, context: context)
  }

  private static func rendezvous(of context: ServerRequestContext) throws(Problem) -> RendezvousID {
    guard let id = context.parameters.get("rendezvous").flatMap({ RendezvousID($0) }) else {
      throw Problem(.malformed, detail: "A rendezvous is 32 hexadecimal digits.")
    }
    return id
  }

  // MARK: Callers

  /// What a call counts against.
  enum Bucket {
    case requests
    case chunks
  }

  /// The bearer of the request's token, held to the rate of its device, or of its account while it
  /// adds one.
  ///
  /// The address does not count: devices share theirs with others, and a token cannot be guessed.
  /// That one is no longer good has to be said at once, else its device would not ask for the next.
  func caller(
    of request: Request, bucket: Bucket = .requests
  ) async throws(Problem) -> Caller {
    let caller = try await authentication.caller(authorization: request.headers[.authorization])
    let now = arguments.clock.uptime()
    switch (bucket, caller.enrolling) {
    case (_, true): try recoveries.take(caller.account, now: now)
    case (.requests, false): try devices.take(caller.device, now: now)
    case (.chunks, false): try chunks.take(caller.device, now: now)
    }
    return caller
  }

  /// The address first: what it is refused spends nothing of the others'.
  private func limit(_ context: ServerRequestContext) throws(Problem) {
    let now = arguments.clock.uptime()
    try refusals.counting(now: now) { () throws(Problem) in
      try addresses.take(context.source, now: now)
      try everybody.take(true, now: now)
    }
  }

  /// Holds a pairing to a rate of its own once a device has opened it: its rendezvous is 128
  /// random bits, so a flood from the same address cannot spend it. All others are held to that of
  /// their address.
  private func limit(
    _ context: ServerRequestContext, at rendezvous: RendezvousID
  ) async throws(Problem) {
    guard await mailboxes.isOpen(rendezvous) else { return try limit(context) }
    try letters.take(rendezvous, now: arguments.clock.uptime())
  }
}
