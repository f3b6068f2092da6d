import Selector
import Sync
import Wire

/// Keeps unsaved edits and signals on disk beside the screen, one after the other, so that no key
/// waits for the disk. What ends the program, or locks the store, waits for it with ``drained()``.
final class DraftWriter: Sendable {
  private enum Job: Sendable {
    case keep(Draft)
    case drop(DraftID)
    case signals([SignalEntry])
    case report(CheckedContinuation<Void, Never>)
  }

  private let jobs: AsyncStream<Job>.Continuation

  init(device: Device, inbox: Inbox) {
    let (stream, jobs) = AsyncStream.makeStream(of: Job.self)
    self.jobs = jobs
    Task {
      for await job in stream {
        do {
          switch job {
          case .keep(let draft): try await device.keep(draft)
          case .drop(let id): try await device.drop(id)
          case .signals(let signals): try await device.keep(signals)
          case .report(let waiting): waiting.resume()
          }
        } catch {
          let reason = Failure(error).sentence
          let what = if case .signals = job { "The list of signals" } else { "What you type" }
          inbox.post(.outcome(.failed("\(what) is not kept on disk: \(reason)")))
        }
      }
    }
  }

  deinit { jobs.finish() }

  func keep(_ draft: Draft) { jobs.yield(.keep(draft)) }

  func drop(_ id: DraftID) { jobs.yield(.drop(id)) }

  func keep(_ signals: [SignalEntry]) { jobs.yield(.signals(signals)) }

  /// Returns when everything handed over so far is on disk.
  func drained() async {
    await withCheckedContinuation { waiting in
      if case .enqueued = jobs.yield(.report(waiting)) { return }
      waiting.resume()
    }
  }
}
