import Wire

/// The pairing mailboxes, in memory: two letters each, five minutes, every letter given out once.
///
/// A mailbox is opened by a device of the account; from there on whoever knows its 128-bit
/// rendezvous takes part, and the letters are sealed end to end. After the answer was read the
/// whole mailbox is gone.
actor Mailboxes {
  private struct Slot {
    var letter: [UInt8]?
    var given = false
  }

  private struct Mailbox {
    let account: AccountID
    let until: Duration
    var slots: [MailboxRequest.Box: Slot] = [:]
  }

  private struct Waiter {
    let rendezvous: RendezvousID
    let box: MailboxRequest.Box
    let continuation: CheckedContinuation<Void, Never>
  }

  /// An account pairs one device at a time; a few more for codes that were given up.
  static let perAccount = 4
  static let longestWait = Duration.seconds(25)

  private let clock: ServerClock
  private var mailboxes: [RendezvousID: Mailbox] = [:]
  /// Rendezvous that were opened lately; one that is gone cannot be opened again.
  private var spent: [RendezvousID: Duration] = [:]
  private var waiters: [Int: Waiter] = [:]
  private var nextWaiter = 0
  private var draining = false

  init(clock: ServerClock) {
    self.clock = clock
  }

  /// Opens a mailbox. The account that opened it may do so again while it is empty: its answer may
  /// have been lost.
  func open(_ rendezvous: RendezvousID, by account: AccountID) throws(Problem) {
    sweep()
    if let mailbox = mailboxes[rendezvous], mailbox.account == account, mailbox.slots.isEmpty {
      return
    }
    guard mailboxes[rendezvous] == nil, spent[rendezvous] == nil else {
      throw Problem(.mailboxGone)
    }
    guard mailboxes.values.count(where: { $0.account == account }) < Self.perAccount else {
      throw Problem(.tooMany, detail: "An account has at most \(Self.perAccount) open mailboxes.")
    }
    let until = clock.uptime() + Limits.pairingCodeLife
    mailboxes[rendezvous] = Mailbox(account: account, until: until)
    spent[rendezvous] = until
  }

  /// Whether a device opened it and its letters have not all been given out.
  func isOpen(_ rendezvous: RendezvousID) -> Bool {
    sweep()
    return mailboxes[rendezvous] != nil
  }

  /// Puts a letter in. The same letter again is taken for a repetition; another is refused.
  func put(
    _ letter: [UInt8], in box: MailboxRequest.Box, of rendezvous: RendezvousID
  ) throws(Problem) {
    guard letter.count <= Limits.mailboxBytes else {
      throw Problem(.tooLarge, detail: "A letter has at most \(Limits.mailboxBytes) bytes.")
    }
    sweep()
    guard let mailbox = mailboxes[rendezvous] else { throw Problem(.mailboxGone) }
    if let held = mailbox.slots[box] {
      guard held.letter == letter else { throw Problem(.mailboxGone) }
      return
    }
    mailboxes[rendezvous]?.slots[box] = Slot(letter: letter)
    wake { $0.rendezvous == rendezvous && $0.box == box }
  }

  /// Takes the letter out, waiting for it if there is none yet; nil when it did not come in time.
  func take(
    from box: MailboxRequest.Box, of rendezvous: RendezvousID, wait: Duration
  ) async throws(Problem) -> [UInt8]? {
    if let letter = try takeNow(from: box, of: rendezvous) { return letter }
    guard wait > .zero, !draining else { return nil }
    await pause(for: min(wait, Self.longestWait), rendezvous: rendezvous, box: box)
    return try takeNow(from: box, of: rendezvous)
  }

  /// Sends everyone who waits away; nobody waits from now on.
  func drain() {
    draining = true
    wake { _ in true }
  }

  private func takeNow(
    from box: MailboxRequest.Box, of rendezvous: RendezvousID
  ) throws(Problem) -> [UInt8]? {
    sweep()
    guard let mailbox = mailboxes[rendezvous] else { throw Problem(.mailboxGone) }
    guard let slot = mailbox.slots[box], let letter = slot.letter else { return nil }
    guard !slot.given else { throw Problem(.mailboxGone) }
    mailboxes[rendezvous]?.slots[box]?.given = true
    if box == .answer { mailboxes[rendezvous] = nil }
    return letter
  }

  private func sweep() {
    let now = clock.uptime()
    mailboxes = mailboxes.filter { now < $0.value.until }
    spent = spent.filter { now < $0.value }
  }

  /// A second reader sends the first one away: it is the same reader on a new connection.
  private func pause(
    for wait: Duration, rendezvous: RendezvousID, box: MailboxRequest.Box
  ) async {
    wake { $0.rendezvous == rendezvous && $0.box == box }
    let id = nextWaiter
    nextWaiter += 1
    let timer = Task {
      do {
        try await Task.sleep(for: wait)
        self.wake(id)
      } catch {
        // The letter came first: there is nobody left to wake.
      }
    }
    await withCheckedContinuation { continuation in
      waiters[id] = Waiter(rendezvous: rendezvous, box: box, continuation: continuation)
    }
    timer.cancel()
  }

  private func wake(_ id: Int) {
    waiters.removeValue(forKey: id)?.continuation.resume()
  }

  private func wake(where matches: (Waiter) -> Bool) {
    for (id, waiter) in waiters where matches(waiter) { wake(id) }
  }
}
