import AttributeServer
import Sync
import Vault
import Wire

/// The Attribute Server: the real ledger over memory, with every state it ever was in.
struct SimulatedServer {
  private(set) var store: MemoryLedgerStore
  private(set) var ledger: Ledger
  let bug: PlantedBug?
  private(set) var generation = 1
  /// The states after each request that changed something, oldest first.
  private(set) var past: [MemoryLedgerStore]
  /// Commits that the bug ``PlantedBug/advanceFrontierWithoutCommit`` dropped.
  private var dropped: Set<Digest32> = []

  init(store: MemoryLedgerStore, bug: PlantedBug?, quotaBytes: Int? = nil) {
    self.store = store
    ledger = quotaBytes.map { Ledger(quotaBytes: $0) } ?? Ledger()
    self.bug = bug
    past = [store]
  }

  /// Puts an earlier state in the place of this one. An operator tells of it by a new generation,
  /// or does not.
  mutating func restore(_ state: Int, isTold: Bool) {
    store = past[state]
    _ = store.takeSignals()
    if isTold { generation += 1 }
    past = Array(past.prefix(state + 1))
  }

  mutating func sync(
    _ request: SyncRequest, by caller: Caller
  ) throws(Problem) -> SyncResponse {
    let before = store.frontier(of: caller.account)
    let outcome = try ledger.sync(
      request, by: caller, generation: String(generation), in: &store)
    let response = distorted(outcome, to: request, account: caller.account)
    if store.frontier(of: caller.account) != before { past.append(store) }
    return response
  }

  /// The operator gives the account all the room there is.
  mutating func liftQuota() { ledger = Ledger() }

  mutating func takeSignals() -> [Signal] {
    let signals = store.takeSignals()
    return bug == .loseSignals ? [] : signals
  }

  func frontier(of account: AccountID) -> Frontier { store.frontier(of: account) }

  /// The digests of the commits it still gives.
  func commits(of account: AccountID) -> Set<Digest32> {
    let page = store.page(of: account, lacking: Frontier(), maxBytes: .max)
    return Set(page.frames.map { Digest32.sha256($0) })
  }

  /// What its complete snapshots cover.
  func snapshots(of account: AccountID) -> [Frontier] {
    store.snapshots(of: account).filter(\.isComplete).map(\.frontier)
  }

  /// Carries out a call that changes the store.
  mutating func change<Value>(
    _ body: (Ledger, inout MemoryLedgerStore) throws(Problem) -> Value
  ) throws(Problem) -> Value {
    let value = try body(ledger, &store)
    past.append(store)
    return value
  }

  mutating func append(_ request: MembershipRequest, by caller: Caller) throws(Problem) {
    do throws(Problem) {
      _ = try change { ledger, store throws(Problem) in
        try ledger.append(request, by: caller, in: &store)
      }
    } catch {
      guard bug == .appendUncompared, error.code == .staleMembership else { throw error }
      let bytes = request.record.bytes
      store.append(record: bytes, hash: .sha256(bytes), account: caller.account)
    }
  }

  mutating func prune(now: Int64) throws(Problem) {
    _ = try ledger.prune(now: now, in: &store)
    past.append(store)
  }

  private mutating func distorted(
    _ response: SyncResponse, to request: SyncRequest, account: AccountID
  ) -> SyncResponse {
    var response = response
    switch bug {
    case .takeCommitsWithGaps:
      for (number, outcome) in response.outcomes.enumerated() {
        let gap: [Problem.Code] = [.chainGap, .missingDependencies]
        guard let problem = outcome.problem, gap.contains(problem.code),
          let envelope = try? Envelope(bytes: request.frames[number].bytes)
        else { continue }
        store.append(
          commit: LedgerCommit(
            account: account, device: envelope.header.device, sequence: envelope.header.sequence,
            hash: envelope.hash, bytes: envelope.bytes))
        response.outcomes[number] = SyncResponse.Outcome(status: .accepted)
      }
      response.serverFrontier = store.frontier(of: account)
    case .refuseKnownCommits:
      response.outcomes = response.outcomes.map {
        $0.status == .known
          ? SyncResponse.Outcome(status: .refused, problem: Problem(.deviceFork)) : $0
      }
    case .advanceFrontierWithoutCommit:
      for (frame, outcome) in zip(request.frames, response.outcomes)
      where outcome.status == .accepted {
        dropped.insert(Digest32.sha256(frame.bytes))
      }
      response.frames.removeAll { dropped.contains(Digest32.sha256($0.bytes)) }
    case .cutPages:
      if !response.frames.isEmpty { response.frames.removeLast() }
      response.more = false
    default: break
    }
    return response
  }
}
