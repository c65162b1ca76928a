import {
  getMetadataStorage,
  ValidationTypes,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';

type Metadata = ReturnType<
  ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']
>[number];

/** The rules of one member, resolved from class-validator's metadata. */
interface MemberRules {
  property: string;
  /** The validators apply only if all of these hold. */
  conditions: ((dto: object, value: unknown) => boolean)[];
  validators: { instance: ValidatorConstraintInterface; constraints: unknown[] }[];
}

const { CUSTOM_VALIDATION, CONDITIONAL_VALIDATION } = ValidationTypes;
const rulesByClass = new WeakMap<Function, MemberRules[] | 'unsupported'>();

/**
 * Whether a DTO satisfies every rule of its class, by class-validator's own validators. `validateSync`
 * resolves all rules on each call and takes ten times as long, so it is only used to find the issues.
 * Returns false for every DTO in which `validateSync` would find an issue.
 */
export function satisfiesRules(dto: object): boolean {
  const dtoClass = dto.constructor;
  const rules = rulesByClass.get(dtoClass) ?? resolveRules(dtoClass);
  rulesByClass.set(dtoClass, rules);
  return rules !== 'unsupported' && rules.every((member) => satisfies(dto, member));
}

function satisfies(object: object, { property, conditions, validators }: MemberRules): boolean {
  const value = (object as Record<string, unknown>)[property];
  if (!conditions.every((holds) => holds(object, value))) return true;
  const { name: targetName } = object.constructor;
  return validators.every(({ instance, constraints }) => {
    const context: ValidationArguments = { value, constraints, targetName, object, property };
    return instance.validate(value, context) === true;
  });
}

/** Rules with options and rules of other kinds are left to class-validator. */
function resolveRules(dtoClass: Function): MemberRules[] | 'unsupported' {
  const storage = getMetadataStorage();
  const rules = storage.getTargetValidationMetadatas(dtoClass, '', false, false);
  if (!rules.length || rules.some(isUnsupported)) return 'unsupported';
  return Object.entries(storage.groupByPropertyName(rules)).map(([property, own]) => ({
    property,
    conditions: own.filter(isCondition).map(({ constraints }) => constraints[0]),
    validators: own.filter((rule) => !isCondition(rule)).flatMap(resolveValidators),
  }));
}

function resolveValidators({ constraintCls, constraints }: Metadata) {
  return getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .map(({ instance }) => ({ instance, constraints }));
}

function isCondition({ type }: Metadata): boolean {
  return type === CONDITIONAL_VALIDATION;
}

function isUnsupported(rule: Metadata): boolean {
  if (isCondition(rule)) return false;
  return rule.type !== CUSTOM_VALIDATION || rule.each || rule.validateIf !== undefined;
}
