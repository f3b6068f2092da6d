extension Command {
  /// Every command with its standard keys, in the order of footer and help.
  public static let table: [Command] =
    contexts + attributes + context + lists + everywhere + screens + dialogs + editing + always

  private static let contexts: [Command] = [
    Command(.open, .contexts, "Enter", "open its attributes", .use, hint: "open", rank: 0),
    Command(.copy, .contexts, "y", "copy the marked attribute", .use),
    Command(.reveal, .contexts, "v", "reveal the password 15 s", .use, hint: "reveal", rank: 4),
    Command(.delete, .contexts, "d", "delete context, asks", .change),
  ]

  private static let attributes: [Command] = [
    Command(.edit, .attributes, "Enter e", "edit in place", .use, hint: "edit", rank: 0),
    Command(.copy, .attributes, "y", "copy", .use, hint: "copy", rank: 1),
    Command(.reveal, .attributes, "v", "reveal 15 s", .use, hint: "reveal", rank: 4),
    Command(.history, .attributes, "H", "earlier values", .use, hint: "history", rank: 6),
    Command(.moveDown, .attributes, "J", "move it down", .change),
    Command(.moveUp, .attributes, "K", "move it up", .change),
    Command(.delete, .attributes, "d", "delete attribute, asks", .change),
    Command(.back, .attributes, "Esc", "back to the contexts", .move),
  ]

  private static let context: [Command] = [
    Command(.copyUsername, .context, "u", "copy the username", .use, hint: "copy", rank: 3),
    Command(.copyPassword, .context, "p", "copy the password", .use, hint: "copy", rank: 3),
    Command(.copyCode, .context, "t", "copy the one-time code", .use, hint: "copy", rank: 3),
    Command(
      .changePassword, .context, "c", "new password", .change, hint: "new password", rank: 5),
    Command(.newContext, .context, "o", "new context", .change, hint: "new", rank: 8),
    Command(.addAttribute, .context, "a", "add attribute", .change, hint: "add", rank: 9),
    Command(.rename, .context, "r", "rename", .change),
    Command(.pin, .context, "f", "pin to the top, or not", .change),
    Command(.whatChanged, .context, "i", "what changed", .change),
  ]

  private static let lists: [Command] = [
    Command(.down, .lists, "j Down C-n", "next", .move),
    Command(.up, .lists, "k Up C-p", "previous", .move),
    Command(.first, .lists, "g Home", "first", .move),
    Command(.last, .lists, "G End", "last", .move),
    Command(.halfPageDown, .lists, "C-d", "half a page down", .move),
    Command(.halfPageUp, .lists, "C-u", "half a page up", .move),
    Command(.pageDown, .lists, "C-f PgDn", "a page down", .move),
    Command(.pageUp, .lists, "C-b PgUp", "a page up", .move),
    Command(.find, .lists, "/", "narrow the list", .find, hint: "find", rank: 2),
    Command(.nextHit, .lists, "n", "next hit", .find),
    Command(.previousHit, .lists, "N", "previous hit", .find),
    Command(
      .back, .lists, "Esc", "whole list again, back to now", .find, hint: "back to now", rank: 0),
  ]

  private static let everywhere: [Command] = [
    Command(.commandLine, .everywhere, ":", "any command", .find, hint: "command", rank: 9),
    Command(.nextPane, .everywhere, "Tab l Right", "next pane", .move, hint: "pane", rank: 7),
    Command(.previousPane, .everywhere, "S-Tab h Left", "previous pane", .move),
    Command(.contextsPane, .everywhere, "1", "contexts", .move),
    Command(.attributesPane, .everywhere, "2", "attributes", .move),
    Command(.statusPane, .everywhere, "3", "status", .move),
    Command(.grow, .everywhere, "+", "this pane alone", .move),
    Command(.shrink, .everywhere, "_", "all panes", .move),
    Command(.sync, .everywhere, "s", "sync now", .sync),
    Command(.signals, .everywhere, "S", "signals", .sync),
    Command(.devices, .everywhere, "D", "devices", .sync),
    Command(.conflicts, .everywhere, "X", "conflicts", .sync),
    Command(.alarms, .everywhere, "A", "alarms and notices", .sync),
    Command(.trash, .everywhere, "T", "deleted contexts", .change),
    Command(.undo, .everywhere, "z", "undo the newest change", .change),
    Command(.redo, .everywhere, "Z", "redo it", .change),
    Command(.lock, .everywhere, "L", "lock now", .other),
    Command(.help, .everywhere, "?", "this help", .other, hint: "help", rank: 1),
    Command(.quit, .everywhere, "q", "quit", .other, hint: "quit", rank: 2),
  ]

  private static let always: [Command] = [
    Command(.redraw, .always, "C-l", "redraw", .other),
    Command(.suspend, .always, "C-z", "suspend, conceals first", .other),
    Command(.cancel, .always, "C-c", "cancel; twice quits", .other),
  ]
}

// Screens that take the place of the attributes.
extension Command {
  private static let screens: [Command] =
    [
      Command(.open, .devices, "Enter", "details, or none", .use, hint: "details", rank: 2),
      Command(.pair, .devices, "+", "pair a device", .use, hint: "pair", rank: 1),
      Command(.rename, .devices, "r", "rename the device", .change, hint: "rename", rank: 4),
      Command(
        .revoke, .devices, "x", "revoke the device: new keys, new kit", .change, hint: "revoke",
        rank: 2),
      Command(.sync, .devices, "s", "sync now", .sync, hint: "sync", rank: 3),
      Command(.back, .devices, "Esc", "back from here", .move, hint: "back", rank: 0),
      Command(.open, .conflicts, "Enter", "both values", .use, hint: "choose", rank: 0),
      Command(.back, .conflicts, "Esc", "back from here", .move, hint: "back", rank: 1),
      Command(.open, .signals, "Enter", "go to the context", .use, hint: "go there", rank: 0),
      Command(.back, .signals, "Esc", "back from here", .move, hint: "back", rank: 1),
      Command(.copy, .history, "y", "copy", .use, hint: "copy", rank: 2),
      Command(.reveal, .history, "v", "reveal 15 s", .use, hint: "reveal", rank: 2),
      Command(
        .restore, .history, "Enter r", "use this value again", .change, hint: "use again", rank: 3),
      Command(
        .wholeContext, .history, "i", "all attributes, or this one", .use, hint: "all attributes",
        rank: 4),
      Command(.back, .history, "Esc", "back to the attributes", .move, hint: "back", rank: 0),
    ] + standing + conflict

  private static let standing: [Command] = [
    Command(.restore, .trash, "Enter", "restore the context", .change, hint: "restore", rank: 0),
    Command(.back, .trash, "Esc", "back from here", .move, hint: "back", rank: 1),
    Command(
      .delete, .alarms, "d", "it is dealt with, asks", .change, hint: "dealt with", rank: 0),
    Command(.back, .alarms, "Esc", "back from here", .move, hint: "back", rank: 1),
  ]

  private static let conflict: [Command] = [
    Command(.chooseFirst, .conflict, "1", "choose the first value", .use, hint: "choose", rank: 1),
    Command(
      .chooseSecond, .conflict, "2", "choose the second value", .use, hint: "choose", rank: 1),
    Command(.down, .conflict, "j Down C-n", "next value", .move),
    Command(.up, .conflict, "k Up C-p", "previous value", .move),
    Command(.reveal, .conflict, "v", "reveal all values", .use, hint: "reveal both", rank: 3),
    Command(.edit, .conflict, "e", "type another value instead", .change),
    Command(.keepBoth, .conflict, "m", "keep both", .change, hint: "keep both", rank: 2),
    Command(.apply, .conflict, "Enter", "apply the choice", .change, hint: "apply", rank: 0),
    Command(.back, .conflict, "Esc", "choose later", .move, hint: "later", rank: 1),
  ]
}

// What takes the keys instead of a pane.
extension Command {
  private static let dialogs: [Command] = generator + drafts + prompts + gates

  private static let drafts: [Command] = [
    Command(.open, .drafts, "Enter", "go on with it", .use, hint: "go on", rank: 0),
    Command(.delete, .drafts, "d", "discard it, asks", .change, hint: "discard", rank: 2),
    Command(.down, .drafts, "j Down C-n", "next", .move),
    Command(.up, .drafts, "k Up C-p", "previous", .move),
    Command(.back, .drafts, "Esc", "later", .move, hint: "later", rank: 1),
  ]

  private static let generator: [Command] = [
    Command(.apply, .generator, "Enter", "use it", .use, hint: "use", rank: 0),
    Command(.another, .generator, "Space", "another", .use, hint: "another", rank: 2),
    Command(.shorter, .generator, "< Left", "shorter", .change, hint: "length", rank: 3),
    Command(.longer, .generator, "> Right", "longer", .change, hint: "length", rank: 3),
    Command(.lower, .generator, "1", "a-z", .change, hint: "classes", rank: 6),
    Command(.upper, .generator, "2", "A-Z", .change, hint: "classes", rank: 6),
    Command(.digits, .generator, "3", "0-9", .change, hint: "classes", rank: 6),
    Command(.symbols, .generator, "4", "symbols", .change, hint: "classes", rank: 6),
    Command(
      .lookAlikes, .generator, "5", "with or without 0 O o 1 l I |", .change, hint: "classes",
      rank: 6),
    Command(.kind, .generator, "k", "random, words, pin", .change, hint: "kind", rank: 5),
    Command(.show, .generator, "v", "show it", .use, hint: "show", rank: 4),
    Command(.copy, .generator, "y", "copy the new one", .use),
    Command(.copyOld, .generator, "O", "copy the old one", .use),
    Command(.back, .generator, "Esc", "keep the old one", .move, hint: "keep old", rank: 1),
  ]

  private static let prompts: [Command] = [
    Command(.apply, .find, "Enter", "keep the narrowed list", .find, hint: "keep", rank: 0),
    Command(.back, .find, "Esc", "whole list", .find, hint: "clear", rank: 1),
    Command(.down, .find, "C-n Down", "next", .move, hint: "move", rank: 2),
    Command(.up, .find, "C-p Up", "previous", .move, hint: "move", rank: 2),
    Command(.run, .command, "Enter", "run", .use, hint: "run", rank: 0),
    Command(.complete, .command, "Tab", "complete", .use, hint: "complete", rank: 2),
    Command(.down, .command, "C-n Down", "next", .move, hint: "move", rank: 3),
    Command(.up, .command, "C-p Up", "previous", .move, hint: "move", rank: 3),
    Command(.back, .command, "Esc", "cancel", .move, hint: "cancel", rank: 1),
    Command(.yes, .question, "y Y", "yes", .use, hint: "yes", rank: 0),
    Command(.no, .question, "n N Esc", "no", .use, hint: "no", rank: 0),
    Command(.run, .help, "Enter", "run the marked key", .use, hint: "run the marked key", rank: 2),
    Command(.back, .help, "Esc q ?", "close", .move, hint: "close", rank: 0),
  ]

  private static let gates: [Command] = [
    Command(.yes, .pairing, "y", "admit the device", .use, hint: "admit", rank: 0),
    Command(.no, .pairing, "n", "refuse the device", .use, hint: "refuse", rank: 0),
    Command(.copy, .pairing, "c", "copy the code", .use, hint: "copy the code", rank: 2),
    Command(.back, .pairing, "Esc", "end the pairing", .move, hint: "end", rank: 1),
    Command(.yes, .kit, "y", "it is written down", .use, hint: "it is written down", rank: 0),
    Command(.show, .kit, "c", "as a code for a camera, or as text", .use, hint: "code", rank: 1),
    Command(.run, .locked, "Enter", "unlock", .use, hint: "unlock", rank: 0),
    Command(.show, .locked, "C-r", "show what is typed", .use, hint: "show what I type", rank: 2),
    Command(.down, .welcome, "j Down Tab", "next", .move, hint: "choose", rank: 1),
    Command(.up, .welcome, "k Up S-Tab", "previous", .move, hint: "choose", rank: 1),
    Command(.run, .welcome, "Enter", "next", .use, hint: "next", rank: 0),
    Command(.help, .welcome, "?", "this help", .other, hint: "help", rank: 3),
    Command(
      .quit, .welcome, "q", "quit, nothing is written", .other,
      hint: "quit, nothing is written", rank: 2),
    Command(.down, .start, "j Down Tab", "next", .move, hint: "choose", rank: 1),
    Command(.up, .start, "k Up S-Tab", "previous", .move, hint: "choose", rank: 1),
    Command(.run, .start, "Enter", "begin with it", .use, hint: "begin", rank: 0),
    Command(.back, .start, "Esc", "later", .move, hint: "later", rank: 2),
  ]
}

// Typing.
extension Command {
  private static let editing: [Command] = fields + lineEditing

  private static let fields: [Command] = [
    Command(.save, .field, "Enter C-s", "save", .use, hint: "save", rank: 0),
    Command(.back, .field, "Esc", "cancel", .move, hint: "cancel", rank: 1),
    Command(.next, .field, "Tab Down", "next attribute", .move, hint: "next", rank: 3),
    Command(.previous, .field, "S-Tab Up", "previous attribute", .move),
    Command(.show, .field, "C-r", "show, hide", .use, hint: "show", rank: 4),
    Command(.generate, .field, "C-g", "generate", .use, hint: "generate", rank: 4),
    Command(.save, .note, "C-s", "save", .use, hint: "save", rank: 0),
    Command(.back, .note, "Esc", "cancel", .move, hint: "cancel", rank: 1),
    Command(.newline, .note, "Enter", "new line", .change, hint: "new line", rank: 2),
    Command(.next, .note, "Tab", "next attribute", .move, hint: "next", rank: 3),
    Command(.previous, .note, "S-Tab", "previous attribute", .move),
    Command(.lineUp, .note, "Up C-p", "line up", .move),
    Command(.lineDown, .note, "Down C-n", "line down", .move),
    Command(.show, .note, "C-r", "show, hide", .use),
    Command(.save, .form, "C-s", "save", .use, hint: "save", rank: 0),
    Command(.run, .form, "Enter", "next field, at the last save", .use, hint: "next", rank: 0),
    Command(.back, .form, "Esc", "cancel", .move, hint: "cancel", rank: 1),
    Command(.next, .form, "Tab Down", "next field", .move),
    Command(.previous, .form, "S-Tab Up", "previous field", .move),
    Command(.choosePrevious, .form, "Left", "previous choice", .change, hint: "choose", rank: 3),
    Command(.chooseNext, .form, "Right", "next choice", .change, hint: "choose", rank: 3),
    Command(.show, .form, "C-r", "show, hide", .use, hint: "show", rank: 4),
    Command(.generate, .form, "C-g", "generate", .use, hint: "generate", rank: 5),
  ]

  private static let lineEditing: [Command] = [
    Command(.left, .editing, "Left C-b", "left", .move),
    Command(.right, .editing, "Right C-f", "right", .move),
    Command(.wordLeft, .editing, "M-b", "a word left", .move),
    Command(.wordRight, .editing, "M-f", "a word right", .move),
    Command(.lineStart, .editing, "C-a Home", "start of the line", .move),
    Command(.lineEnd, .editing, "C-e End", "end of the line", .move),
    Command(.deleteBefore, .editing, "Backspace C-h", "delete before", .change),
    Command(.deleteUnder, .editing, "Del C-d", "delete under", .change),
    Command(.deleteWord, .editing, "C-w M-Backspace", "delete the word", .change),
    Command(
      .deleteToStart, .editing, "C-u", "delete to the start", .change, hint: "clear", rank: 8),
    Command(.deleteToEnd, .editing, "C-k", "delete to the end", .change),
    Command(.yank, .editing, "C-y", "put back what was deleted", .change),
    Command(.undoTyping, .editing, "C-_", "undo", .change, hint: "undo", rank: 9),
  ]
}
