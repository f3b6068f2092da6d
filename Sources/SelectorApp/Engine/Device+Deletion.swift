import Storage
import Sync
import Transport
import Vault
import Wire

/// The end of the account, and what is left of it here.
extension Device {
  /// Other devices may append a record meanwhile; then it is made anew.
  private static let deletionAttempts = 5

  /// Has the server erase everything of the account, for all devices. Each keeps what it holds, to
  /// read and not to change, until its person erases it.
  ///
  /// `name` is the account's, as the person typed it.
  func deleteAccount(named name: String, passphrase: Passphrase) async throws {
    guard let keyring else { throw DeviceError.locked }
    guard !core.isEnded else { throw DeviceError.deleted(text: deletionText) }
    guard name == keyring.accountName else { throw DeviceError.anotherName }
    try checkPassphrase(passphrase)
    try await confirmEverything()
    let (login, slot) = try await proveAccount(keyring, passphrase)
    for attempt in 1...Self.deletionAttempts {
      let record = try keyring.ending(of: core.membership, slot: slot, login: login)
      do {
        _ = try await client.appendMembership(
          MembershipRequest(expectedHead: core.membership.head, record: Blob(record.bytes)))
        return try take(.endingShown(Blob(record.bytes)))
      } catch ServiceFailure.refused(let problem)
        where problem.code == .staleMembership && attempt < Self.deletionAttempts
      {
        try await confirmEverything()
      } catch ServiceFailure.refused(let problem) where problem.code == .authenticationFailed {
        // The first answer was lost, or another device was quicker.
        await askWhetherDeleted(after: .refused(problem))
        guard core.isEnded else { throw ServiceFailure.refused(problem) }
        return
      }
    }
  }

  /// The server does not know this device any more: is there a record that says why?
  func askWhetherDeleted(after refusal: ServiceFailure) async {
    do {
      guard let record = try await client.ending(of: settings.account) else {
        return attempt(.failed(refusal))
      }
      try take(.endingShown(record))
    } catch let failure as ServiceFailure {
      attempt(.failed(failure))
    } catch {
      lose(error)
    }
  }

  /// A server that was restored from a backup has the account again: it is shown its end.
  func giveEndingBack() async {
    guard let ending = core.membership.ending else { return }
    do {
      guard try await client.ending(of: settings.account) == nil else { return }
      _ = try await client.appendMembership(
        MembershipRequest(
          expectedHead: ending.previous, record: Blob(ending.bytes), isRestored: true))
    } catch {
      // It is tried at each start: a server that knows neither has nothing of the account.
    }
  }

  /// Lets go of the servers; what is here stays.
  func leave() {
    pushTask?.cancel()
    pushTask = nil
    Task { [push] in await push?.close() }
    push = nil
    pushState = .down
    pushTransport = nil
    presence = [:]
    report("deleted", deletionText)
  }

  /// Who deleted the account, and what that means here.
  var deletionText: String {
    let device = try? core.membership.ending?.ending().device
    let author = device.map { $0 == settings.device ? "here" : "on \(name(of: $0))" } ?? ""
    return "The account was deleted \(author). This copy can be read and exported, and is not"
      + " changed any more. `higgins account erase` removes it."
  }

  /// Erases this copy of a deleted account. What waits unsent in it is gone, too.
  func erase(named name: String) throws {
    guard let keyring else { throw DeviceError.locked }
    guard core.isEnded else { throw DeviceError.notDeleted }
    guard name == keyring.accountName else { throw DeviceError.anotherName }
    let text = "The account was deleted, and its copy here is erased."
    try folder.writeFile(Array(text.utf8), to: folder.farewell)
    wiped = text
    // Whether it closes does not matter any more.
    try? store.abandon()
    try folder.erase()
    forgetEverything()
    tell(.contexts([]))
    tell(.revoked(text))
  }
}
