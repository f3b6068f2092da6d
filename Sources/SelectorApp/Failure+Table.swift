import ArgumentParser
import Storage
import Sync
import Terminal
import Transport
import Vault
import Wire

extension Failure {
  /// What to say of any error.
  init(_ error: any Error) {
    self =
      switch error {
      case let failure as Failure: failure
      case let error as DeviceError: Self.device(error)
      case let error as MatchFailure: error.failure
      case let error as ConsoleError: Self.console(error)
      case let error as ControlError: Self.control(error)
      case let error as VaultError: Self.vault(error)
      case let error as StorageError: Self.storage(error)
      case let error as ServiceFailure: Self.service(error)
      case let problem as Problem: Self.problem(problem)
      case let error as TransportError: Self.transport(error)
      case let error as EditError: Self.edit(error)
      case let error as TerminalError: Self.terminal(error)
      case let error as ImportError: Failure(.failed, error.description)
      case let error as WireError: Self.wire(error)
      case is SnapshotError:
        Failure(
          .failed,
          "A snapshot does not read. What is here is safe, and nothing of it was taken. A later"
            + " program may have written it: update this one.")
      case let error as ValidationError: Failure(.usage, error.message)
      case is CancellationError:
        Failure(.failed, "Stopped before it was done. What was saved is safe.")
      default: Self.unnamed(error)
      }
  }

  /// Only the error's type is told: its text could quote a value.
  private static func unnamed(_ error: any Error) -> Failure {
    Failure(
      .failed, "Something failed (\(type(of: error))). What was saved is safe; try it again.")
  }

  private static func device(_ error: DeviceError) -> Failure {
    switch error {
    case .noProfile:
      Failure(
        .failed,
        "There is no profile here yet. Create an account with `higgins init`, or make this a device"
          + " of one with `higgins join`.")
    case .revoked(let text):
      Failure(
        .failed, "\(text) Make this a device of an account again with `higgins join`.")
    case .deleted(let text): Failure(.failed, text)
    case .notDeleted:
      Failure(
        .failed,
        "The account is not deleted, and nothing was erased. To take this device out of it, run"
          + " `higgins devices revoke` on another one.")
    case .serverHasNoPin:
      Failure(
        .failed,
        "This device does not know the server by its key, so there is none to change. Nothing was"
          + " changed.")
    case .tooManyServerKeys(let limit):
      Failure(
        .failed,
        "At most \(limit) keys of the server are known at a time. Nothing was changed. With --only,"
          + " the new one takes the place of all others.")
    case .anotherName:
      Failure(.failed, "That is not the account's name. Nothing was changed.")
    case .revokedAlready:
      Failure(.failed, "That device was revoked before. Nothing was changed.")
    case .revokingItself:
      Failure(
        .failed,
        "A device cannot revoke itself. Nothing was changed. Revoke it from another device.")
    case .guessedTooOften(let seconds):
      Failure(
        .locked,
        "A wrong passphrase was given too often, so the next is taken in \(seconds) s. Nothing was"
          + " changed. Wait, then try again.")
    case .passphraseChangedElsewhere:
      Failure(
        .locked,
        "The account has another passphrase than this device. Nothing was changed. Give the"
          + " account's as the new one with `higgins passphrase`; then change it if you like.")
    case .alreadyAProfile:
      Failure(
        .failed,
        "This profile is a device already and was left as it is. Choose another with --profile"
          + " NAME.")
    case .locked: lockedProfile
    case .damagedProfile(let file):
      Failure(
        .failed,
        "\(file) does not read. Nothing was changed. The other devices have everything the server"
          + " confirmed; move this profile away and join again.")
    case .membershipMissing(let reason):
      Failure(
        .offline,
        "The store was damaged, and only the server can send the list of devices again. \(reason)"
          + " Nothing was changed; try again when it can be reached.")
    case .pairingExpired:
      Failure(
        .failed,
        "The pairing code expired before the other device answered. Nothing was changed. Make a new"
          + " one with `higgins devices pair`.")
    case .pairingDeclined:
      Failure(.failed, "The device was not admitted. Nothing was changed.")
    case .notAdmitted:
      Failure(
        .alarm,
        "The account's list of devices does not hold this one, so nothing was taken from it. Pair"
          + " again, and compare the words on both screens.")
    case .incompatibleServer(let minimum, let maximum):
      Failure(
        .failed,
        "The server speaks protocol \(minimum) to \(maximum), this program"
          + " \(ServerInfo.protocolVersion). Nothing was sent. Update the older of the two.")
    }
  }

  static var lockedProfile: Failure {
    Failure(.locked, "The profile is locked. Nothing was read or changed. Unlock it and try again.")
  }

  private static func console(_ error: ConsoleError) -> Failure {
    switch error {
    case .noTerminal(let what):
      Failure(
        .usage,
        "There is no terminal to ask for \(what). Nothing was changed. Give it on standard input or"
          + " in a file.")
    case .closed: Failure(.failed, "")
    case .tooLong(let what, let limit):
      Failure(.failed, "\(what) is longer than \(limit) bytes. Nothing was changed.")
    case .file(let path, let operation, let code):
      Failure(.failed, "\(operation) \(path) failed: \(SystemError.text(code)).")
    case .exists(let path):
      Failure(
        .failed,
        "\(path) is there already and was left as it is. Choose another name or move it away.")
    }
  }

  private static func control(_ error: ControlError) -> Failure {
    switch error {
    case .notAnswering(let pid):
      Failure(
        .failed,
        "\(pid.map { "Process \($0)" } ?? "Another process") uses this profile and does not answer."
          + " Nothing was changed. Wait for it, or end it and try again.")
    case .foreignPeer(let user):
      Failure(
        .failed,
        "User \(user) stands at the other end of this profile's socket, so nothing was said to it."
          + " Check who can write to the profile's folders.")
    case .otherVersion:
      Failure(
        .failed,
        "The selector that uses this profile is of another version. Nothing was changed. End it and"
          + " try again.")
    case .malformed, .tooLarge:
      Failure(
        .failed,
        "The selector that uses this profile gave an answer that does not read. End it and try"
          + " again.")
    case .gone:
      Failure(
        .failed,
        "The selector that uses this profile ended meanwhile. What it saved is safe; try again.")
    case .tooManyCommands(let limit):
      Failure(.failed, "\(limit) commands use this profile at the moment. Try again later.")
    case .noHolder:
      Failure(
        .failed,
        "Nothing runs that could stay unlocked, so the passphrase was not asked for. Start `higgins"
          + " agent` first.")
    case .notForwarded(let command):
      Failure(
        .failed,
        "`\(command)` cannot run while a selector uses this profile. Nothing was changed. End it"
          + " first.")
    case .failed(let path, let operation, let code):
      Failure(.failed, "\(operation) \(path) failed: \(SystemError.text(code)).")
    }
  }

  /// The plain commands, which work where the selector cannot open.
  static let plainCommands =
    "`higgins --plain` and the plain commands work anywhere: `higgins list`, `get`, `set`; see"
    + " `higgins --help`."

  private static func terminal(_ error: TerminalError) -> Failure {
    let reason =
      switch error {
      case .notATerminal: "The selector needs a terminal, and this is none."
      case .dumb(let term): "The selector needs a terminal it can draw on, and TERM is \"\(term)\"."
      case .unknownTerminal(let term):
        "This system has no description of the terminal \"\(term)\" (TERM)."
      case .alreadyOpen: "The selector is open already."
      case .system(let code): "The terminal cannot be used: \(SystemError.text(code))."
      }
    return Failure(.failed, "\(reason) \(plainCommands)")
  }

  private static func edit(_ error: EditError) -> Failure {
    switch error {
    case .unknownContext: Failure(.notFound, "That context is no longer there.")
    case .unknownAttribute: Failure(.notFound, "That attribute is no longer there.")
    case .unknownVersion: Failure(.notFound, "That value is not among those of the conflict.")
    case .emptyName: Failure(.usage, "A name has at least one character. Nothing was changed.")
    case .overLimit(let limit, let allowed):
      Failure(.failed, "Over the limit of \(allowed) \(limit). Nothing was changed.")
    case .locked: lockedProfile
    case .accountDeleted:
      Failure(
        .failed,
        "The account was deleted. This copy can be read and exported, and was not changed. `higgins"
          + " account erase` removes it.")
    case .changedSince:
      Failure(
        .conflict,
        "It was changed again since, so it was not taken back. Nothing was changed. Look at `higgins"
          + " history` and set the value you want.")
    case .nothingToUndo: Failure(.notFound, "There is nothing to undo. Nothing was changed.")
    case .expired:
      Failure(
        .notFound,
        "It was removed more than 30 days ago and cannot be restored any more. Nothing was changed."
      )
    }
  }

  private static func wire(_ error: WireError) -> Failure {
    switch error {
    case .overLimit(let limit, let value):
      Failure(.failed, "\(value) is over the limit of \(limit). Nothing was changed.")
    case .malformed(let field):
      Failure(.failed, "The \(field) does not read. Nothing was changed.")
    case .truncated, .trailingBytes, .wrongMagic, .unknownSuite, .unknownType:
      Failure(
        .failed,
        "Stored or received bytes do not read. Nothing was changed. A later program may have"
          + " written them.")
    }
  }
}
