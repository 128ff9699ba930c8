package io.wayleave.ctl;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The help of a command shows the options of that command. Those that every command takes would
 * bury them, so they stand in {@code netctl --help} alone.
 */
final class CommandHelp extends Help {
  private final List<OptionSpec> own;
  private final boolean hasOthers;

  CommandHelp(CommandSpec command, ColorScheme colors) {
    super(command, colors);
    own = command.options().stream().filter(option -> !option.inherited()).toList();
    hasOthers = own.size() < command.options().size();
  }

  @Override
  protected Ansi.Text createDetailedSynopsisOptionsText(
      Collection<ArgSpec> done,
      List<OptionSpec> options,
      Comparator<OptionSpec> sort,
      boolean cluster) {
    return super.createDetailedSynopsisOptionsText(done, own, sort, cluster);
  }

  @Override
  public String optionList() {
    return optionListExcludingGroups(own);
  }

  @Override
  public String footer(Object... parameters) {
    return super.footer(parameters)
        + (hasOthers ? String.format("%nOptions of every command: netctl --help%n") : "");
  }
}
