import { FieldError, Input, Label, Text, TextField, type TextFieldProps } from 'react-aria-components'
import look from './look.module.css'

type Props = Omit<TextFieldProps, 'className' | 'style'> & {
  label: string
  hint?: string
  /** What is wrong with what stands in it; nothing when it is right. */
  fault?: string | undefined
  placeholder?: string
}

export function Field({ label, hint, fault, placeholder, ...rest }: Props) {
  return (
    <TextField {...rest} isInvalid={fault !== undefined} className={look.field}>
      <Label>{label}</Label>
      <Input className={look.input} {...(placeholder !== undefined && { placeholder })} />
      {hint !== undefined && (
        <Text slot="description" className={look.hint}>
          {hint}
        </Text>
      )}
      <FieldError className={look.fault}>{fault}</FieldError>
    </TextField>
  )
}
