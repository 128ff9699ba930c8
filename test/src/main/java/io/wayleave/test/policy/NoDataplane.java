package io.wayleave.test.policy;

import io.wayleave.model.HostEndpoint;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.CalculationSink;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import io.wayleave.policy.calc.SetMember;

/** Takes what a calculation tells and does nothing with it. */
class NoDataplane implements CalculationSink {
  @Override
  public void putSet(SetId set) {}

  @Override
  public void addMember(SetId set, SetMember member) {}

  @Override
  public void putRules(RuleBlock rules) {}

  @Override
  public void putEndpoint(WorkloadEndpoint endpoint, ResolvedPolicies policies) {}

  @Override
  public void putHostEndpoint(HostEndpoint endpoint, ResolvedPolicies policies) {}

  @Override
  public void removeEndpoint(String id) {}

  @Override
  public void removeHostEndpoint(String id) {}

  @Override
  public void removeRules(RuleBlock.Id rules) {}

  @Override
  public void removeMember(SetId set, SetMember member) {}

  @Override
  public void removeSet(SetId set) {}
}
