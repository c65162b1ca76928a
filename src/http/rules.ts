import {
  getMetadataStorage,
  ValidationTypes,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';

type Metadata = ReturnType<
  ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']
>[number];

/** What class-validator knows of one member. */
interface MemberRules {
  name: string;
  /** The rules count only where these hold. */
  conditions: ((record: object, value: unknown) => boolean)[];
  validators: { instance: ValidatorConstraintInterface; constraints: unknown[] }[];
}

const { CUSTOM_VALIDATION, CONDITIONAL_VALIDATION } = ValidationTypes;
const known = new WeakMap<Function, MemberRules[] | 'special'>();

/**
 * Whether a record keeps every rule of its class, by class-validator's own validators. `validateSync`
 * looks all of them up anew each time and prepares to complain, which takes ten times as long: it is for
 * saying what is wrong. Never true where that would find something.
 */
export function keepsRules(record: object): boolean {
  const shape = record.constructor;
  const rules = known.get(shape) ?? readRules(shape);
  known.set(shape, rules);
  return rules !== 'special' && rules.every((member) => keeps(record, member));
}

function keeps(object: object, { name: property, conditions, validators }: MemberRules): boolean {
  const value = (object as Record<string, unknown>)[property];
  if (!conditions.every((holds) => holds(object, value))) return true;
  const { name: targetName } = object.constructor;
  return validators.every(({ instance, constraints }) => {
    const told: ValidationArguments = { value, constraints, targetName, object, property };
    return instance.validate(value, told) === true;
  });
}

/** Those that have options, or are of other kinds, are left to class-validator. */
function readRules(shape: Function): MemberRules[] | 'special' {
  const storage = getMetadataStorage();
  const rules = storage.getTargetValidationMetadatas(shape, '', false, false);
  if (!rules.length || rules.some(isSpecial)) return 'special';
  return Object.entries(storage.groupByPropertyName(rules)).map(([name, own]) => ({
    name,
    conditions: own.filter(isCondition).map(({ constraints }) => constraints[0]),
    validators: own
      .filter((rule) => !isCondition(rule))
      .flatMap(({ constraintCls, constraints }) =>
        storage
          .getTargetValidatorConstraints(constraintCls)
          .map(({ instance }) => ({ instance, constraints })),
      ),
  }));
}

function isCondition({ type }: Metadata): boolean {
  return type === CONDITIONAL_VALIDATION;
}

function isSpecial(rule: Metadata): boolean {
  if (isCondition(rule)) return false;
  return rule.type !== CUSTOM_VALIDATION || rule.each || rule.validateIf !== undefined;
}
